"""
The answer of ``/upload-params``: one planned upload, signed, in the shape the contract promises.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from callers import Caller
from post_policy import UploadRule, iso, sign_folder, sign_object
from profiles import Profile
from settings import Settings
from sts_credentials import StsCredentials
from upload_callback import callback_field
from upload_request import WantedFile, choose_content_type, choose_size_range, object_url, render_key


class PlannedUpload(NamedTuple):
    """Everything about one upload that does not need credentials."""

    rule: UploadRule
    upload_id: str
    takes_filename: bool


def plan_upload(
    wanted: WantedFile, profile: Profile, caller: Caller, settings: Settings, *, upload_id: str, now: datetime
) -> PlannedUpload:
    """
    Decide what the form will admit.

    Args:
        upload_id: URL-safe, at least 128 random bits.

    Raises:
        BadRequest, TooLarge, UnsupportedType: naming the field.
    """
    content_type = "" if profile.takes_filename else choose_content_type(wanted, profile)
    min_size, max_size = choose_size_range(wanted, profile)
    key = render_key(
        profile,
        owner=caller.owner,
        upload_id=upload_id,
        now=now,
        filename=wanted.filename,
        content_type=content_type,
    )
    fields = {} if profile.takes_filename else _pinned_fields(profile, content_type)
    if profile.callback:
        fields["callback"] = callback_field(settings, profile, caller, key=key, upload_id=upload_id, now=now)
    rule = UploadRule(
        bucket=settings.bucket,
        region=settings.region,
        signature_version=profile.signature_version,
        key=key,
        min_size_bytes=min_size,
        max_size_bytes=max_size,
        expires_at=now + profile.expires_in,
        fields=fields,
    )
    return PlannedUpload(rule, upload_id, profile.takes_filename)


def answer_upload(
    planned: PlannedUpload, credentials: StsCredentials, host: str, now: datetime
) -> dict[str, Any]:
    """
    Sign what was planned.

    Returns:
        ``{"url", "key", "fileUrl", "formData", "maxSize", "expiresAt", "serverTime", "uploadId"}``, or for
        a ``{filename}`` profile the fields of Alibaba's sample servers.
    """
    if planned.takes_filename:
        return _sample_server_answer(planned.rule, credentials, host, now)
    rule = planned.rule
    return {
        "url": host,
        "key": rule.key,
        "fileUrl": object_url(host, rule.key),
        "formData": sign_object(rule, credentials, now),
        "maxSize": rule.max_size_bytes,
        "expiresAt": iso(rule.expires_at),
        "serverTime": iso(now),
        "uploadId": planned.upload_id,
    }


def _pinned_fields(profile: Profile, content_type: str) -> dict[str, str]:
    return {
        "success_action_status": "200",
        "x-oss-content-type": content_type,
        "x-oss-forbid-overwrite": "false" if profile.overwrite else "true",
        "x-oss-object-acl": profile.acl,
        **dict(profile.headers),
    }


def _sample_server_answer(
    rule: UploadRule, credentials: StsCredentials, host: str, now: datetime
) -> dict[str, Any]:
    """
    What pages written for Alibaba's samples read.

    Source: https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss
    """
    signed = sign_folder(rule, credentials, now)
    answer: dict[str, Any] = {
        "host": host,
        "policy": signed.policy,
        "signature": signed.signature,
        "security_token": credentials.security_token,
        "expire": int(rule.expires_at.timestamp()),
        "dir": rule.key,
        **_sample_version_fields(rule, credentials, signed.pinned),
    }
    if "callback" in rule.fields:
        answer["callback"] = rule.fields["callback"]
    return answer


def _sample_version_fields(
    rule: UploadRule, credentials: StsCredentials, pinned: Mapping[str, str]
) -> dict[str, str]:
    if rule.signature_version == "v1":
        return {"accessid": credentials.access_key_id}
    return {
        "x_oss_signature_version": pinned["x-oss-signature-version"],
        "x_oss_credential": pinned["x-oss-credential"],
        "x_oss_date": pinned["x-oss-date"],
    }
