"""
Proof that the contestants do the same work: each printed form carries a signature that fits its policy.
"""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from quality.bench.peers.task import REGION, ROLE_SECRET

ALGORITHMS = {
    "x-oss-": (f"aliyun_v4{ROLE_SECRET}", (REGION, "oss", "aliyun_v4_request")),
    "x-amz-": (f"AWS4{ROLE_SECRET}", (REGION, "s3", "aws4_request")),
}


class WrongWork(Exception):
    """Raised when a contestant printed something else than a well signed form."""


def check_form(name: str, answer: Mapping[str, Any] | None) -> None:
    """
    Args:
        answer: what a contestant printed: the function's answer, a bare form, boto3's or the sample server's
            (``None`` when that answered with an error).

    Raises:
        WrongWork: with the contestant's name.
    """
    answer = answer or {}
    form = answer.get("formData") or answer.get("fields") or answer
    # The sample server's answer has names of its own.
    fields = {field.replace("_", "-"): value for field, value in form.items()}
    prefix = next((prefix for prefix in ALGORITHMS if f"{prefix}date" in fields), None)
    if prefix is None:
        raise WrongWork(f"{name} printed no V4 form: {', '.join(fields)}")
    given = fields.get(f"{prefix}signature") or fields.get("signature")
    expected = _signature(*ALGORITHMS[prefix], fields[f"{prefix}date"][:8], fields["policy"])
    if given != expected:
        raise WrongWork(f"{name} printed a signature that does not fit its policy")
    b64decode(fields["policy"], validate=True)


def _signature(secret: str, scope: tuple[str, ...], date: str, policy: str) -> str:
    key = secret.encode()
    for part in (date, *scope, policy):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key.hex()
