"""
First object of a proof: whether the operator's keys may do what every question begins with.
"""

from typing import NamedTuple

import requests

from ops.doctor.evidence import NotTried, text_in
from ops.doctor.findings import refusal, unreachable
from ops.doctor.proof.sandbox import DOT, STORED_AS, Sandbox

RIGHTS = (
    "These keys have to store (with an ACL), read, list and delete objects below the folder; a bucket under"
    " retention lets nobody delete."
)


class Refusal(NamedTuple):
    """The call of one object that failed, why, and the remedy."""

    step: str
    said: str
    remedy: str


def first_refusal(sandbox: Sandbox) -> Refusal | None:
    """Store, read, list and delete one object: what these keys may not do, no question may begin with."""
    key = sandbox.new_key()
    listed = {"list-type": "2", "prefix": key, "max-keys": "1"}
    steps: tuple[tuple[str, str, str, dict[str, str], dict[str, str]], ...] = (
        ("PutObject", "PUT", key, {}, STORED_AS),
        ("GetObject", "GET", key, {}, {}),
        ("ListObjects", "GET", "", listed, {}),
        ("DeleteObject", "DELETE", key, {}, {}),
    )
    for step, method, name, query, headers in steps:
        body = DOT if method == "PUT" else b""
        try:
            answer = sandbox.call(method, name, query=query, headers=headers, body=body)
        except NotTried as error:
            return Refusal(step, error.why, unreachable("OSS_HOST").en)
        except requests.RequestException as error:
            is_stored = step != "PutObject" or not isinstance(error, requests.ConnectionError)
            sandbox.keys_left = [key] if is_stored else []
            return Refusal(step, no_answer(error), unreachable("OSS_HOST", "OSS_BUCKET", "OSS_REGION").en)
        if answer.status_code not in (200, 204):
            sandbox.keys_left = [key] if step != "PutObject" else []
            said, remedy = refusal(answer.status_code, answer.text, answer.headers.get("x-oss-ec", ""))
            is_denied = text_in(answer, "Code") == "AccessDenied"
            return Refusal(step, said.en, RIGHTS if is_denied else remedy.en)
    return None


def no_answer(error: requests.RequestException) -> str:
    return f"no answer ({type(error).__name__})"
