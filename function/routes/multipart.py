"""``POST /multipart``: a large file is begun, and the first URLs for its parts."""

from typing import Any

from function.auth import Caller, identify
from function.config.key_template import published_name
from function.config.profile import CHECK, Profile
from function.context import RequestContext
from function.errors import BadRequest, UploadGone
from function.http.json_body import read_json_object
from function.multipart.lifecycle import (
    admit,
    admit_with_numbers,
    begin_upload,
    complete_upload,
    drop_upload,
    stored_parts,
)
from function.multipart.upload import HEADERS, LEAST_LIFE, MAX_URLS, missing_parts, sign_parts, urls_end
from function.oss.client import oss_client
from function.oss.post_form import UploadRule, iso, object_url
from function.routes.confirm import begin_check, recalled, settled
from function.routes.upload_params import apply_hooks, reserve_forms, with_quota
from function.session_policy import UPLOADS
from function.uploads.plan import rule_for
from function.uploads.receipt import RECEIPT_LIFE, report_stored, seen_upload
from function.uploads.request import UploadRequest, profile_of, read_fields
from function.uploads.tickets import MultipartTicket


def begin(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        the ticket, the key, how the file is cut, and URLs for the first parts.
    """
    settings, now = context.settings, context.now
    caller = identify(context.request.headers, settings, now)
    context.line.owner = caller.owner
    fields = read_json_object(context.request.body)
    if fields.get("files") is not None:
        raise BadRequest("files is for forms; an upload in parts is of one file.")
    wanted = read_fields(fields)
    profile = profile_of(wanted, settings.profiles)
    context.line.profile = profile.name
    if not profile.parts:
        raise BadRequest("profile takes no uploads in parts; ask for a form.")
    size_bytes = wanted.size_bytes
    if not size_bytes:
        raise BadRequest("size is needed for an upload in parts, in bytes, 1 at least.")
    reservation = reserve_forms(context, caller, 1)
    wanted, profile = apply_hooks(context, caller, wanted, profile)
    ticket, rule = _plan(context, caller, wanted, profile, size_bytes)
    with reservation.take([(profile, size_bytes)]) as quotas:
        begun = _begin(context, ticket, rule, profile)
    return with_quota(begun, quotas, profile)


def _plan(
    context: RequestContext, caller: Caller, wanted: UploadRequest, profile: Profile, size_bytes: int
) -> tuple[MultipartTicket, UploadRule]:
    now = context.now
    upload_id = context.instance.new_id()
    rule = rule_for(wanted, profile, owner=caller.owner, upload_id=upload_id, now=now)
    context.line.key, context.line.upload_id = published_name(rule.key), upload_id
    ticket = MultipartTicket(
        upload_id=upload_id,
        oss_id="",
        key=rule.key,
        size_bytes=size_bytes,
        part_size_bytes=profile.part_size_bytes,
        content_type=rule.content_type,
        profile=profile.name,
        subject=caller.subject,
        owner=caller.owner,
        context=wanted.context,
        sha256=wanted.sha256,
        issued_at=now,
        expires_at=now + profile.parts_within,
    )
    ticket.check_length(context.settings)
    return ticket, rule


def _begin(
    context: RequestContext, ticket: MultipartTicket, rule: UploadRule, profile: Profile
) -> dict[str, Any]:
    settings, now = context.settings, context.now
    # Whatever can fail comes before OSS begins an upload, which somebody would have to end.
    credentials = context.credentials(profile.location.session(UPLOADS), [now + LEAST_LIFE])
    oss = oss_client(context, profile.location)
    ticket = begin_upload(oss, ticket, rule.fields)
    first = range(1, min(ticket.part_count, MAX_URLS) + 1)
    key = published_name(ticket.key)
    return {
        "ticket": ticket.issue(settings),
        "key": key,
        "fileUrl": object_url(profile.location.host, key),
        "uploadId": ticket.upload_id,
        "size": ticket.size_bytes,
        "partSize": ticket.part_size_bytes,
        "partCount": ticket.part_count,
        "headers": HEADERS,
        "parts": sign_parts(ticket, first, credentials, settings, now),
        "expiresAt": iso(urls_end(credentials, now)),
        "ticketExpiresAt": iso(ticket.expires_at),
        "serverTime": iso(now),
        **({"held": True} if profile.hold else {}),
    }


def parts(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        URLs for the parts that are asked for, else for the first that OSS does not have in full.
    """
    settings, now = context.settings, context.now
    ticket, numbers = admit_with_numbers(context)
    location = settings.profiles[ticket.profile].location
    missing = missing_parts(ticket, stored_parts(oss_client(context, location), ticket))
    credentials = context.credentials(location.session(UPLOADS), [now + LEAST_LIFE])
    return {
        "parts": sign_parts(ticket, numbers or missing[:MAX_URLS], credentials, settings, now),
        "missing": len(missing),
        "expiresAt": iso(urls_end(credentials, now)),
        "serverTime": iso(now),
    }


def complete(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; the same each time, byte for byte.
    """
    ticket = admit(context)
    profile = context.settings.profiles[ticket.profile]
    oss = oss_client(context, profile.location)
    try:
        facts = complete_upload(oss, ticket, acl=profile.stored_acl, forbid_overwrite=not profile.overwrite)
    except UploadGone:
        if profile.is_held and (told := recalled(context, oss, ticket.upload_id)):
            return told
        raise
    if profile.is_held and (told := settled(context, oss, facts, ticket.upload_id)):
        return told
    life = ticket.expires_at - ticket.issued_at + RECEIPT_LIFE
    told = report_stored(context, seen_upload(ticket, facts), life)
    if profile.hold == (CHECK,):
        begin_check(context, told["receipt"])
    return told


def abort(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"state": "aborted"}``, however often it is asked.
    """
    ticket = admit(context)
    location = context.settings.profiles[ticket.profile].location
    drop_upload(oss_client(context, location), ticket)
    return {"state": "aborted"}
