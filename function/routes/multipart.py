"""``POST /multipart`` and its parts, completion and abort: large files in parts."""

from function.annotations import Any
from function.auth import Caller, identify
from function.config.key_template import published_name
from function.config.profile import ACL_FIELD, Profile
from function.context import RequestContext
from function.errors import BadRequest, UploadGone
from function.http.json_body import read_json_object
from function.lifecycle.admission import apply_hooks, check_replacement, reserve_forms, with_quota
from function.lifecycle.confirmation import decided_response, report
from function.multipart import lifecycle, part_urls
from function.oss.client import oss_client
from function.oss.instants import iso
from function.oss.post_form import UploadRule, object_url
from function.sts.session_policy import UPLOADS
from function.uploads.plan import rule_for
from function.uploads.receipt import RECEIPT_LIFE, seen_upload
from function.uploads.request import UploadRequest, profile_of, read_fields
from function.uploads.tickets import MultipartTicket


def begin(context: RequestContext) -> dict[str, Any]:
    """Return the ticket, the key, the sizes of the parts, and URLs for the first parts."""
    caller = identify(context.request.headers, context.settings, context.now)
    context.line.owner = caller.owner
    file, profile, size_bytes = _read(context)
    reservation = reserve_forms(context, caller, [profile])
    check_replacement(context, caller, file, profile)
    file, profile = apply_hooks(context, caller, file, profile)
    ticket, rule = _plan(context, caller, file, profile, size_bytes)
    with reservation.take([(profile, size_bytes)]) as quotas:
        response = _begin(context, ticket, rule, profile)
    return with_quota(response, quotas, profile)


def _read(context: RequestContext) -> tuple[UploadRequest, Profile, int]:
    """Return the requested file, its profile and its size; raise ``BadRequest`` naming the field."""
    fields = read_json_object(context.request.body)
    if fields.get("files") is not None:
        raise BadRequest("files is for forms; a multipart upload has one file.")
    file = read_fields(fields)
    profile = profile_of(file, context.settings.profiles)
    context.line.profile = profile.name
    if not profile.parts:
        raise BadRequest("profile takes no multipart uploads; request a form.")
    if not file.size_bytes:
        raise BadRequest("size is required for a multipart upload, in bytes, at least 1.")
    return file, profile, file.size_bytes


def _plan(
    context: RequestContext, caller: Caller, file: UploadRequest, profile: Profile, size_bytes: int
) -> tuple[MultipartTicket, UploadRule]:
    now = context.now
    upload_id = context.instance.new_id()
    rule = rule_for(file, profile, owner=caller.owner, upload_id=upload_id, now=now)
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
        app=caller.entry.app,
        context=file.context,
        sha256=file.sha256,
        replaces=file.replaces,
        ai_declared=file.ai_declared,
        issued_at=now,
        expires_at=now + profile.parts_within,
    )
    part_urls.check_ticket_length(ticket, context.settings)
    return ticket, rule


def _begin(
    context: RequestContext, ticket: MultipartTicket, rule: UploadRule, profile: Profile
) -> dict[str, Any]:
    settings, now = context.settings, context.now
    # Everything that can fail comes before OSS begins an upload, which would have to be aborted.
    credentials = context.credentials(profile.location.session(UPLOADS), [now + part_urls.LEAST_LIFE])
    oss = oss_client(context, profile.location)
    ticket = lifecycle.begin_upload(oss, ticket, rule.form.fields)
    first = range(1, min(ticket.part_count, part_urls.MAX_URLS) + 1)
    key = published_name(ticket.key)
    return {
        "ticket": ticket.issue(settings),
        "key": key,
        "fileUrl": object_url(profile.location.host, key),
        "uploadId": ticket.upload_id,
        "size": ticket.size_bytes,
        "partSize": ticket.part_size_bytes,
        "partCount": ticket.part_count,
        "headers": part_urls.HEADERS,
        "parts": part_urls.sign_parts(ticket, first, credentials, settings, now),
        "expiresAt": iso(part_urls.urls_end(credentials, now)),
        "ticketExpiresAt": iso(ticket.expires_at),
        "serverTime": iso(now),
        **({"held": True} if profile.hold else {}),
    }


def parts(context: RequestContext) -> dict[str, Any]:
    """Return URLs for the requested parts, else for the first ones that OSS does not have in full."""
    settings, now = context.settings, context.now
    ticket, numbers, stored_after = lifecycle.read_parts_request(context)
    location = settings.profiles[ticket.profile].location
    stored = lifecycle.stored_parts(oss_client(context, location), ticket)
    missing = part_urls.missing_parts(ticket, stored)
    credentials = context.credentials(location.session(UPLOADS), [now + part_urls.LEAST_LIFE])
    return {
        "parts": part_urls.sign_parts(
            ticket, numbers or missing[: part_urls.MAX_URLS], credentials, settings, now
        ),
        "missing": len(missing),
        **({} if stored_after is None else {"stored": part_urls.listed_parts(stored, stored_after)}),
        "expiresAt": iso(part_urls.urls_end(credentials, now)),
        "serverTime": iso(now),
    }


def complete(context: RequestContext) -> dict[str, Any]:
    """Return the upload with its receipt; the same each time, byte for byte."""
    ticket = lifecycle.read_ticket(context)
    profile = context.settings.profiles[ticket.profile]
    oss = oss_client(context, profile.location)
    try:
        facts = lifecycle.complete_upload(
            oss, ticket, acl=dict(profile.pinned)[ACL_FIELD], forbid_overwrite=not profile.overwrite
        )
    except UploadGone:
        if profile.is_held and (response := decided_response(context, oss, ticket.upload_id)):
            return response
        raise
    life = ticket.expires_at - ticket.issued_at + RECEIPT_LIFE
    return report(context, oss, seen_upload(ticket, facts), facts, life)


def abort(context: RequestContext) -> dict[str, Any]:
    """Return ``{"state": "aborted"}``, for repeated requests as well."""
    ticket = lifecycle.read_ticket(context)
    location = context.settings.profiles[ticket.profile].location
    lifecycle.abort_upload(oss_client(context, location), ticket)
    return {"state": "aborted"}
