"""Plan of an upload, and its signed form."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from function.annotations import Any, NamedTuple
from function.auth import Caller
from function.config.content_types import default_disposition, key_extension
from function.config.key_template import held_name, published_name
from function.config.profile import META_PREFIX, UPLOAD_ID_METADATA, BucketLocation, Profile
from function.config.profiles import problem_in
from function.config.settings import Settings
from function.errors import BadRequest, Misconfigured
from function.messages import Message
from function.oss import post_form
from function.oss.instants import iso
from function.oss.post_form import Credentials, PreparedForm, UploadRule, prepare
from function.uploads.request import UploadRequest, choose_content_type, choose_size_range
from function.uploads.tickets import FormTicket

NO_FIELDS = prepare({})
MAX_CALLBACK_CHARACTERS = 5 * 1024
# Our names, and the variables that OSS replaces.
REPORTED = {
    "bucket": "${bucket}",
    "object": "${object}",
    "etag": "${etag}",
    "size": "${size}",
    "mimeType": "${mimeType}",
    "width": "${imageInfo.width}",
    "height": "${imageInfo.height}",
    "format": "${imageInfo.format}",
    "reqId": "${reqId}",
}


class PlannedUpload(NamedTuple):
    """
    Everything about one upload that needs no credentials.

    Args:
        rule: its ``key`` is where the object will be stored.
        key: of the object once it is published.
        is_named_by_digest: True if the same bytes may exist already, under this very name.
        ticket: for ``/confirm``; ``None`` where the profile has none.
        signed_ticket: the same, as the response has it.
        is_page: True for the response that pages written for the samples read.
    """

    rule: UploadRule
    key: str
    location: BucketLocation
    upload_id: str
    is_named_by_digest: bool
    ticket: FormTicket | None
    signed_ticket: str
    is_page: bool

    def sign(self, credentials: Credentials, now: datetime) -> dict[str, Any]:
        """Return the response with the signed form; ``held`` if the object gets its key when published."""
        ticket = {"ticket": self.signed_ticket} if self.ticket else {}
        rule, host = self.rule, self.location.host
        if self.is_page:
            return {**_page_fields(rule, credentials, host, now), **ticket}
        return {
            "url": host,
            "key": self.key,
            "fileUrl": post_form.object_url(host, self.key),
            "formData": post_form.sign_object(rule, credentials, now),
            "maxSize": rule.max_size_bytes,
            "expiresAt": iso(rule.expires_at),
            "serverTime": iso(now),
            "uploadId": self.upload_id,
            **({} if self.key == rule.key else {"held": True}),
            **ticket,
        }


def plan_upload(
    caller: Caller, file: UploadRequest, profile: Profile, settings: Settings, upload_id: str, now: datetime
) -> PlannedUpload:
    """
    Decide what a form will admit, with the ticket and the callback of its profile.

    Raises:
        BadRequest, TooLarge, UnsupportedType: naming the field; ``context`` may be too long for the ticket.
        Misconfigured: the key of the profile is too long.
    """
    try:
        return _plan(caller, file, profile.for_forms(), settings, upload_id, now)
    except Misconfigured:
        if file.trace:
            # Tracing must not make an upload fail.
            return plan_upload(caller, file._replace(trace=None), profile, settings, upload_id, now)
        if file.replaces is not None:
            plan_upload(caller, file._replace(replaces=None), profile, settings, upload_id, now)
            raise BadRequest("replaces is too long for a key of this length.") from None
        if file.context is None:
            raise
        # Raises Misconfigured if the key alone is too long.
        plan_upload(caller, file._replace(context=None), profile, settings, upload_id, now)
    raise BadRequest("context is too long for a key of this length.")


def _plan(
    caller: Caller, file: UploadRequest, profile: Profile, settings: Settings, upload_id: str, now: datetime
) -> PlannedUpload:
    rule = rule_for(file, profile, owner=caller.owner, upload_id=upload_id, now=now)
    ticket, signed = None, ""
    if profile.callback or profile.confirm:
        ticket = ticket_of(profile, rule, upload_id, caller, file, now)
        signed = ticket.issue(settings, profile)
    if profile.callback:
        rule = rule._replace(form=rule.form.add("callback", callback_field(settings, profile, signed)))
    return PlannedUpload(
        rule=rule,
        key=published_name(rule.key),
        location=profile.location,
        upload_id=upload_id,
        is_named_by_digest=profile.key.is_named_by_digest,
        ticket=ticket if profile.confirm else None,
        signed_ticket=signed,
        is_page=profile.key.takes_filename,
    )


def ticket_of(
    profile: Profile, rule: UploadRule, upload_id: str, caller: Caller, file: UploadRequest, now: datetime
) -> FormTicket:
    """Return the ticket of a form; dated to the second, as its token is."""
    return FormTicket(
        upload_id=upload_id,
        key=rule.key,
        is_folder=profile.takes_filename,
        content_type=rule.content_type,
        min_size_bytes=rule.min_size_bytes,
        max_size_bytes=rule.max_size_bytes,
        profile=profile.name,
        subject=caller.subject,
        app=caller.entry.app,
        owner=caller.owner,
        context=file.context,
        sha256=file.sha256,
        trace=file.trace if profile.callback else None,
        issued_at=now.replace(microsecond=0),
        replaces=file.replaces,
        ai_declared=file.ai_declared,
    )


def rule_for(
    file: UploadRequest, profile: Profile, *, owner: str, upload_id: str, now: datetime
) -> UploadRule:
    """
    Decide where an upload is stored, its type and size, and the pinned fields, for forms and for parts.

    Raises:
        BadRequest, TooLarge, UnsupportedType: naming the field.
    """
    is_page = profile.key.takes_filename
    content_type = "" if is_page else choose_content_type(file, profile)
    min_size, max_size = choose_size_range(file, profile)
    if profile.key.takes_digest and file.sha256 is None:
        raise BadRequest("sha256 and size are required here.")
    extension = key_extension(file.filename, content_type)
    key = profile.key.render(
        owner=owner, upload_id=upload_id, now=now, extension=extension, sha256=file.sha256
    )
    form = NO_FIELDS if is_page else prepare_form(content_type, profile.overwrite, profile.pinned)
    if profile.hold:
        key = held_name(key)
        # Proves later whose upload is held there, and is copied with the object.
        form = form.add(f"{META_PREFIX}{UPLOAD_ID_METADATA}", upload_id)
    return UploadRule(
        bucket=profile.location.bucket,
        region=profile.location.region,
        signature_version=profile.signature_version,
        key=key,
        min_size_bytes=min_size,
        max_size_bytes=max_size,
        expires_at=now + profile.expires_in,
        form=form,
    )


def callback_field(settings: Settings, profile: Profile, ticket: str) -> str:
    """
    Return the ``callback`` field: base64 of JSON, under the 5 KB that OSS takes, or raise ``Misconfigured``.

    The form pins it, so a client can neither change nor drop it.

    Source: https://help.aliyun.com/zh/oss/developer-reference/callback
    """
    url = settings.callback_url or ""
    parameter = {
        "callbackUrl": url,
        "callbackBody": "&".join(f"{name}={variable}" for name, variable in REPORTED.items())
        + f"&ticket={ticket}",
        "callbackBodyType": "application/x-www-form-urlencoded",
        # Gateways that share addresses, as Function Compute's do, need the name in the TLS handshake.
        "callbackSNI": url.startswith("https://"),
    }
    field = b64encode(json.dumps(parameter, separators=(",", ":")).encode()).decode()
    if len(field) > MAX_CALLBACK_CHARACTERS:
        raise Misconfigured([problem_in(profile.name, Message("its key is too long for callback = true"))])
    return field


# One for each profile and type; clients send few types.
@lru_cache(maxsize=256)
def prepare_form(content_type: str, overwrite: bool, pinned: tuple[tuple[str, str], ...]) -> PreparedForm:
    """Prepare the fields beside key and signature, each with its only permitted value."""
    return prepare(
        {
            "success_action_status": "200",
            post_form.TYPE_FIELD: content_type,
            post_form.OVERWRITE_FIELD: "false" if overwrite else "true",
            "Content-Disposition": default_disposition(content_type),
            **dict(pinned),
        }
    )


def _page_fields(rule: UploadRule, credentials: Credentials, host: str, now: datetime) -> dict[str, Any]:
    """
    Sign a form for pages written for Alibaba Cloud's samples.

    Source: https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss
    """
    signed = post_form.sign_folder(rule, credentials, now)
    fields: dict[str, Any] = {
        "host": host,
        "policy": signed.policy,
        "signature": signed.signature,
        "security_token": credentials.security_token,
        "expire": int(rule.expires_at.timestamp()),
        "dir": rule.key,
        **_version_fields(rule, credentials, signed.pinned),
    }
    if "callback" in rule.form.fields:
        fields["callback"] = rule.form.fields["callback"]
    return fields


def _version_fields(rule: UploadRule, credentials: Credentials, pinned: Mapping[str, str]) -> dict[str, str]:
    if rule.signature_version == "v1":
        return {"accessid": credentials.access_key_id}
    return {
        "x_oss_signature_version": pinned[post_form.VERSION_FIELD],
        "x_oss_credential": pinned[post_form.CREDENTIAL_FIELD],
        "x_oss_date": pinned[post_form.DATE_FIELD],
    }
