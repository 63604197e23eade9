"""Open points of forms, and the forms that they are asked with: one byte to the sandbox."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import requests

from function.oss import signature_v4
from function.oss.instants import stamp_of
from function.oss.post_form import (
    CREDENTIAL_FIELD,
    DATE_FIELD,
    TOKEN_FIELD,
    VERSION_FIELD,
    Credentials,
    encode_policy,
    exact_match,
    sign_v1,
    sign_v4,
)
from function.oss.presign import NONE
from ops.doctor.evidence import accepted
from ops.doctor.proof.point import Seen, is_refused, is_taken
from ops.doctor.proof.sandbox import DOT, FORM_LIFE, Sandbox

STATUS = {"success_action_status": "200"}


def is_form_answered(
    sandbox: Sandbox, refused: Mapping[str, Any] | None = None, taken: Mapping[str, Any] | None = None
) -> Seen:
    """
    Send a plain form, which must be taken, and one with the changes of a question.

    Args:
        refused, taken: those of ``post``; ``by`` is the one action of a session. Yes is the answer if OSS
            does what the name says.
    """
    changes: dict[str, Any] = {"fields": {}, **(refused or taken or {})}
    if "by" in changes:
        changes["by"] = sandbox.session(changes["by"])
    accepted(post(sandbox, STATUS, by=changes.get("by")))
    answer = post(sandbox, {**STATUS, **changes.pop("fields")}, **changes)
    return is_refused(answer) if refused else is_taken(answer)


def post(
    sandbox: Sandbox,
    fields: Mapping[str, str],
    *,
    conditions: Iterable[str] = (),
    unpinned: Mapping[str, str] | None = None,
    after_file: Mapping[str, str] | None = None,
    by: Credentials | None = None,
    minutes_ago: int = 0,
    is_v1: bool = False,
) -> requests.Response:
    """
    Send a form with a byte.

    Args:
        fields: each with a condition of the policy that holds it to its value.
        conditions: further ones, as JSON.
        unpinned: fields that no condition names.
        minutes_ago: when it was signed.
    """
    signer, at = by or sandbox.keys, sandbox.now - timedelta(minutes=minutes_ago)
    pinned = {"key": sandbox.new_key(), **fields}
    if signer.security_token:
        pinned[TOKEN_FIELD] = signer.security_token
    date = stamp_of(at)[:8]
    if not is_v1:
        pinned[VERSION_FIELD] = signature_v4.ALGORITHM
        pinned[CREDENTIAL_FIELD] = (
            f"{signer.access_key_id}/{signature_v4.scope(date, sandbox.settings.region)}"
        )
        pinned[DATE_FIELD] = stamp_of(at)
    exact = {"bucket": sandbox.settings.bucket, **pinned}
    held = [*(exact_match(*field) for field in exact.items()), *conditions]
    policy = encode_policy(sandbox.now + FORM_LIFE, held)
    if is_v1:
        proof = {
            "OSSAccessKeyId": signer.access_key_id,
            "signature": sign_v1(policy, signer.access_key_secret),
        }
    else:
        key = signature_v4.derive_signing_key(signer.access_key_secret, date, sandbox.settings.region)
        proof = {"x-oss-signature": sign_v4(policy, key)}
    before = {**pinned, **(unpinned or {}), "policy": policy, **proof}
    return send(sandbox, before, after_file or {})


def send(
    sandbox: Sandbox, before: Mapping[str, str], after: Mapping[str, str] = NONE, body: bytes = DOT
) -> requests.Response:
    """Send fields, a file, and fields behind it."""
    parts: list[tuple[str, tuple[str | None, str | bytes]]] = [
        *((name, (None, value)) for name, value in before.items()),
        ("file", ("prove.txt", body)),
        *((name, (None, value)) for name, value in after.items()),
    ]
    sandbox.count(*(value for _, (_, value) in parts))
    return sandbox.exchange("POST", sandbox.settings.host, files=parts)
