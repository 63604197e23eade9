"""
Pages written for Alibaba's sample servers: a profile whose key ends in ``{filename}`` answers as those do.

Such a page chooses the name under the folder and sends no field of ours, so its profile can promise little
(``Option.is_for_pages``), its form is signed for the folder, and it asks for one file at a time.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from function.config.profile import Profile
from function.errors import BadRequest
from function.oss.post_form import Credentials, UploadRule, sign_folder


def refuse_among_several(profiles: Iterable[Profile]) -> None:
    """
    Raises:
        BadRequest: one of several files names a profile whose page chooses the key.
    """
    for index, profile in enumerate(profiles):
        if profile.takes_filename:
            raise BadRequest(f"files[{index}].profile answers one request at a time; ask without files.")


def answer(
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
        "x_oss_signature_version": pinned["x-oss-signature-version"],
        "x_oss_credential": pinned["x-oss-credential"],
        "x_oss_date": pinned["x-oss-date"],
    }
