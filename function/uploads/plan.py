"""What a form will admit, decided before anybody is asked for credentials."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from function.config.content_types import (
    TYPE_OF_EXTENSION,
    default_disposition,
    key_extension,
    name_extension,
)
from function.config.key_template import held_name, is_held_name, published_name
from function.config.profile import META_PREFIX, UPLOAD_ID_METADATA, BucketLocation, Profile
from function.errors import BadRequest, TooLarge, UnsupportedType
from function.oss.post_form import (
    CREDENTIAL_FIELD,
    DATE_FIELD,
    OVERWRITE_FIELD,
    TYPE_FIELD,
    VERSION_FIELD,
    Credentials,
    UploadRule,
    iso,
    object_url,
    sign_folder,
    sign_object,
)
from function.uploads.request import UploadRequest

# The token that tells later what the rule admitted, from the upload's id as well.
IssueTicket = Callable[[Profile, UploadRule, str], str]
# The pinned field that makes OSS call back with a ticket.
CallbackField = Callable[[Profile, str], str]


class PlannedUpload(NamedTuple):
    """
    Everything about one upload that does not need credentials.

    Args:
        rule: its ``key`` is where the object will be stored.

        place: the bucket that it is stored in.

        is_named_by_digest: whether the same bytes may be there already, under this very name.

        ticket: for ``/confirm``; empty where the profile has none.

        answer: from the rule, the upload's id, credentials, the host and the instant: what is answered.
    """

    rule: UploadRule
    location: BucketLocation
    upload_id: str
    is_named_by_digest: bool
    ticket: str
    answer: Callable[[UploadRule, str, Credentials, str, datetime], dict[str, Any]]

    @property
    def key(self) -> str:
        """Of the object, once it is published."""
        return published_name(self.rule.key)

    def sign(self, credentials: Credentials, now: datetime) -> dict[str, Any]:
        """What the caller gets."""
        answered = self.answer(self.rule, self.upload_id, credentials, self.location.host, now)
        return {**answered, "ticket": self.ticket} if self.ticket else answered


def plan_upload(
    wanted: UploadRequest,
    profile: Profile,
    *,
    owner: str,
    upload_id: str,
    now: datetime,
    issue_ticket: IssueTicket,
    callback_field: CallbackField,
) -> PlannedUpload:
    """
    Decide what the form will admit.

    Raises:
        BadRequest, TooLarge, UnsupportedType: naming the field.
    """
    rule = rule_for(wanted, profile, owner=owner, upload_id=upload_id, now=now)
    ticket = issue_ticket(profile, rule, upload_id) if profile.callback or profile.confirm else ""
    if profile.callback:
        rule = rule._replace(fields={**rule.fields, "callback": callback_field(profile, ticket)})
    shown = ticket if profile.confirm else ""
    how = answer_page if profile.takes_filename else answer
    return PlannedUpload(rule, profile.location, upload_id, profile.key.is_named_by_digest, shown, how)


def rule_for(
    wanted: UploadRequest, profile: Profile, *, owner: str, upload_id: str, now: datetime
) -> UploadRule:
    """
    Where an upload is stored, its type and size, and what is pinned, whichever way its bytes go.

    Raises:
        BadRequest, TooLarge, UnsupportedType: naming the field.
    """
    is_page = profile.takes_filename
    content_type = "" if is_page else choose_content_type(wanted, profile)
    min_size, max_size = choose_size_range(wanted, profile)
    if profile.key.takes_digest and wanted.sha256 is None:
        raise BadRequest("sha256 and size are needed here.")
    extension = key_extension(wanted.filename, content_type)
    key = profile.key.render(
        owner=owner, upload_id=upload_id, now=now, extension=extension, sha256=wanted.sha256
    )
    fields = {} if is_page else pinned_fields(profile, content_type)
    if profile.hold:
        key = held_name(key)
        # Proves later whose upload is held there, and is copied with it.
        fields[f"{META_PREFIX}{UPLOAD_ID_METADATA}"] = upload_id
    return UploadRule(
        bucket=profile.location.bucket,
        region=profile.location.region,
        signature_version=profile.signature_version,
        key=key,
        min_size_bytes=min_size,
        max_size_bytes=max_size,
        expires_at=now + profile.expires_in,
        fields=fields,
    )


def answer(
    rule: UploadRule, upload_id: str, credentials: Credentials, host: str, now: datetime
) -> dict[str, Any]:
    """
    Sign what was planned.

    Returns:
        ``{"url", "key", "fileUrl", "formData", "maxSize", "expiresAt", "serverTime", "uploadId"}``, and
        ``held`` where the key is the object's only once it is published.
    """
    key = published_name(rule.key)
    held = {"held": True} if is_held_name(rule.key) else {}
    return {
        "url": host,
        "key": key,
        "fileUrl": object_url(host, key),
        "formData": sign_object(rule, credentials, now),
        "maxSize": rule.max_size_bytes,
        "expiresAt": iso(rule.expires_at),
        "serverTime": iso(now),
        "uploadId": upload_id,
        **held,
    }


def choose_content_type(wanted: UploadRequest, profile: Profile) -> str:
    """
    The type asked for, else the file name's, else the profile's only one.

    Raises:
        BadRequest: none of these says it.

        UnsupportedType: the profile does not admit it, or nobody knows what the name's extension stands for.
    """
    extension = name_extension(wanted.filename)
    kind = wanted.content_type or TYPE_OF_EXTENSION.get(extension)
    if kind is None and len(profile.content_types) == 1 and "*" not in profile.content_types[0]:
        kind = profile.content_types[0]
    if kind is None and extension:
        raise UnsupportedType(
            "filename has an extension that is not known here; contentType is needed.",
            details={"limits": profile.limits},
        )
    if kind is None:
        raise BadRequest("contentType is needed, because filename does not tell it.")
    if not profile.admits(kind):
        allowed = ", ".join(profile.content_types)
        raise UnsupportedType(
            f"contentType {kind} is not allowed here; allowed: {allowed}.", details={"limits": profile.limits}
        )
    return kind


def choose_size_range(wanted: UploadRequest, profile: Profile) -> tuple[int, int]:
    """
    The exact size that was announced, else the profile's range.

    Raises:
        BadRequest: under the profile's minimum.

        TooLarge: over its maximum.
    """
    size = wanted.size_bytes
    if size is None:
        return profile.min_size_bytes, profile.max_size_bytes
    if size > profile.max_size_bytes:
        raise TooLarge(
            f"size is over the {profile.max_size_bytes} bytes allowed here.",
            details={"limits": profile.limits},
        )
    if size < profile.min_size_bytes:
        raise BadRequest(
            f"size is under the {profile.min_size_bytes} bytes needed here.",
            details={"limits": profile.limits},
        )
    return size, size


def pinned_fields(profile: Profile, content_type: str) -> dict[str, str]:
    """What the form sends beside its key and signature, each with the one value it may have."""
    return {
        "success_action_status": "200",
        TYPE_FIELD: content_type,
        OVERWRITE_FIELD: "false" if profile.overwrite else "true",
        "Content-Disposition": default_disposition(content_type),
        **dict(profile.pinned),
    }


def refuse_among_several(profiles: Iterable[Profile]) -> None:
    """
    Raises:
        BadRequest: one of several files names a profile whose page chooses the key.
    """
    for index, profile in enumerate(profiles):
        if profile.takes_filename:
            raise BadRequest(f"files[{index}].profile answers one request at a time; ask without files.")


def answer_page(
    rule: UploadRule, _upload_id: str, credentials: Credentials, host: str, now: datetime
) -> dict[str, Any]:
    """
    What pages written for the samples read.

    Source: https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss
    """
    signed = sign_folder(rule, credentials, now)
    fields: dict[str, Any] = {
        "host": host,
        "policy": signed.policy,
        "signature": signed.signature,
        "security_token": credentials.security_token,
        "expire": int(rule.expires_at.timestamp()),
        "dir": rule.key,
        **_version_fields(rule, credentials, signed.pinned),
    }
    if "callback" in rule.fields:
        fields["callback"] = rule.fields["callback"]
    return fields


def _version_fields(rule: UploadRule, credentials: Credentials, pinned: Mapping[str, str]) -> dict[str, str]:
    if rule.signature_version == "v1":
        return {"accessid": credentials.access_key_id}
    return {
        "x_oss_signature_version": pinned[VERSION_FIELD],
        "x_oss_credential": pinned[CREDENTIAL_FIELD],
        "x_oss_date": pinned[DATE_FIELD],
    }
