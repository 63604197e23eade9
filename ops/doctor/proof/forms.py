"""Open points of forms, and the forms that they are asked with: one byte to the sandbox."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import requests

from function.oss.post_form import Credentials, UploadRule, prepare, sign_object
from function.oss.presign import NONE
from function.sts.session_policy import WRITE
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
        refused, taken: those of ``_post``; ``by`` is the one action of a session. Yes is the answer if OSS
            does what the name says.
    """
    changes = {**(refused or taken or {})}
    actions = [changes.pop("by")] if "by" in changes else WRITE
    session = sandbox.session(*actions)
    accepted(_post(sandbox, session))
    answer = _post(sandbox, session, **changes)
    return is_refused(answer) if refused else is_taken(answer)


def _post(
    sandbox: Sandbox,
    session: Credentials,
    *,
    fields: Mapping[str, str] = NONE,
    conditions: Iterable[str] = (),
    unpinned: Mapping[str, str] = NONE,
    after_file: Mapping[str, str] = NONE,
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
    form = prepare({**STATUS, **fields})
    form = form._replace(conditions=(*form.conditions, *conditions))
    place = sandbox.settings.bucket, sandbox.settings.region
    version = "v1" if is_v1 else "v4"
    rule = UploadRule(*place, version, sandbox.new_key(), 1, 1, sandbox.now + FORM_LIFE, form)
    signed = sign_object(rule, session, sandbox.now - timedelta(minutes=minutes_ago))
    return send(sandbox, {**signed, **unpinned}, after_file)


def send(
    sandbox: Sandbox, before: Mapping[str, str], after: Mapping[str, str] = NONE, body: bytes = DOT
) -> requests.Response:
    """Send fields, a file, and fields behind it."""
    parts: list[tuple[str, tuple[str | None, str | bytes]]] = [
        *((name, (None, value)) for name, value in before.items()),
        ("file", ("prove.txt", body)),
        *((name, (None, value)) for name, value in after.items()),
    ]
    return sandbox.send("POST", sandbox.settings.host, files=parts)
