"""``POST /multipart``: a large file is begun, and the first URLs for its parts."""

from datetime import timedelta
from typing import Any

from function.auth import Caller, identify
from function.config.key_template import published_name
from function.config.profile import Profile
from function.config.types import CHECK
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
from function.multipart.upload import HEADERS, LEAST_LIFE, MAX_URLS, MultipartUpload, sign_parts, urls_end
from function.oss.client import oss_client
from function.oss.post_form import UploadRule, iso, object_url
from function.routes.confirm import begin_check, recalled, settled
from function.routes.upload_params import apply_hooks, reserve_forms, with_quota
from function.session_policy import UPLOADS
from function.uploads.plan import rule_for
from function.uploads.receipt import RECEIPT_LIFE, answer_stored, seen_upload
from function.uploads.request import UploadRequest, profile_of, read_fields
from function.uploads.tickets import check_room, issue_multipart_ticket


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
    upload, rule = _plan(context, caller, wanted, profile, size_bytes)
    with reservation.take([(profile, size_bytes)]) as quotas:
        begun = _begin(context, upload, rule, profile)
    return with_quota(begun, quotas, profile)


def _plan(
    context: RequestContext, caller: Caller, wanted: UploadRequest, profile: Profile, size_bytes: int
) -> tuple[MultipartUpload, UploadRule]:
    now = context.now
    upload_id = context.instance.new_id()
    rule = rule_for(wanted, profile, owner=caller.owner, upload_id=upload_id, now=now)
    context.line.key, context.line.upload_id = published_name(rule.key), upload_id
    upload = MultipartUpload(
        upload_id=upload_id,
        oss_id="",
        key=rule.key,
        size_bytes=size_bytes,
        part_size_bytes=profile.part_size_bytes,
        content_type=rule.content_type,
        claims={"sub": caller.subject, "owner": caller.owner, "profile": profile.name, **wanted.said},
    )
    check_room(upload, profile, context.settings, now)
    return upload, rule


def _begin(
    context: RequestContext, upload: MultipartUpload, rule: UploadRule, profile: Profile
) -> dict[str, Any]:
    settings, now = context.settings, context.now
    # Whatever can fail comes before OSS begins an upload, which somebody would have to end.
    credentials = context.credentials(profile.location.session(UPLOADS), [now + LEAST_LIFE])
    oss = oss_client(context, profile.location)
    upload = begin_upload(oss, upload, rule.fields)
    first = range(1, min(upload.part_count, MAX_URLS) + 1)
    key = published_name(upload.key)
    return {
        "ticket": issue_multipart_ticket(upload, profile, settings, now),
        "key": key,
        "fileUrl": object_url(profile.location.host, key),
        "uploadId": upload.upload_id,
        "size": upload.size_bytes,
        "partSize": upload.part_size_bytes,
        "partCount": upload.part_count,
        "headers": HEADERS,
        "parts": sign_parts(upload, first, credentials, settings, now),
        "expiresAt": iso(urls_end(credentials, now)),
        "ticketExpiresAt": iso(now + profile.parts_within),
        "serverTime": iso(now),
        **({"held": True} if profile.hold else {}),
    }


def parts(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        URLs for the parts that are asked for, else for the first that OSS does not have in full.
    """
    settings, now = context.settings, context.now
    upload, numbers = admit_with_numbers(context)
    location = settings.profiles[upload.claims["profile"]].location
    missing = upload.missing(stored_parts(oss_client(context, location), upload))
    credentials = context.credentials(location.session(UPLOADS), [now + LEAST_LIFE])
    return {
        "parts": sign_parts(upload, numbers or missing[:MAX_URLS], credentials, settings, now),
        "missing": len(missing),
        "expiresAt": iso(urls_end(credentials, now)),
        "serverTime": iso(now),
    }


def complete(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; the same each time, byte for byte.
    """
    upload = admit(context)
    ticket = upload.claims
    profile = context.settings.profiles[ticket["profile"]]
    oss = oss_client(context, profile.location)
    try:
        facts = complete_upload(oss, upload, acl=profile.stored_acl, forbid_overwrite=not profile.overwrite)
    except UploadGone:
        if profile.is_held and (told := recalled(context, oss, upload.upload_id)):
            return told
        raise
    if profile.is_held and (told := settled(context, oss, facts, upload.upload_id)):
        return told
    life = timedelta(seconds=ticket["exp"] - ticket["iat"]) + RECEIPT_LIFE
    told = answer_stored(context, seen_upload(ticket, facts), life)
    if profile.hold == (CHECK,):
        begin_check(context, told["receipt"])
    return told


def abort(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"state": "aborted"}``, however often it is asked.
    """
    upload = admit(context)
    location = context.settings.profiles[upload.claims["profile"]].location
    drop_upload(oss_client(context, location), upload)
    return {"state": "aborted"}
