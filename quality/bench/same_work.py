"""Proof that the contestants do the same work: the signature of each printed form fits its policy."""

import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from quality.bench.peers.task import REGION, ROLE_SECRET


class WrongWork(Exception):
    """Raised when a contestant printed something else than a well signed form."""


def check_form(name: str, answer: Mapping[str, Any] | None) -> None:
    """
    Check the form that a contestant printed.

    Args:
        answer: the function's response, a bare form, or the sample server's response, which names its fields
            with ``_`` (``None`` when it failed).

    Raises:
        WrongWork: with the contestant's name.
    """
    answer = answer or {}
    fields = {field.replace("_", "-"): value for field, value in (answer.get("formData") or answer).items()}
    if "x-oss-date" not in fields:
        raise WrongWork(f"{name} printed no V4 form: {', '.join(fields)}")
    key = f"aliyun_v4{ROLE_SECRET}".encode()
    for part in (fields["x-oss-date"][:8], REGION, "oss", "aliyun_v4_request", fields["policy"]):
        key = hmac.digest(key, part.encode(), "sha256")
    if (fields.get("x-oss-signature") or fields.get("signature")) != key.hex():
        raise WrongWork(f"{name} printed a signature that does not fit its policy")
    b64decode(fields["policy"], validate=True)
