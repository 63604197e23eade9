"""Questions about forms, which the function's own code signs, and about the sessions behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests

from function.config.profile import ACL_FIELD, META_PREFIX, UPLOAD_ID_METADATA
from function.oss.objects import head_object
from function.oss.post_form import (
    OVERWRITE_FIELD,
    TYPE_FIELD,
    Credentials,
    UploadRule,
    prepare,
    sign_folder,
    sign_object,
)
from function.oss.presign import NONE
from function.sts.session_policy import PUBLIC_ACLS, WRITE
from ops.doctor.evidence import accepted, evidence
from ops.doctor.proof.point import Seen, are_all, is_refused, is_taken, told
from ops.doctor.proof.sandbox import DOT, FORM_LIFE, Sandbox

UPLOAD_ID = f"{META_PREFIX}{UPLOAD_ID_METADATA}"
STATUS = {"success_action_status": "200"}
FORM = {
    **STATUS,
    "Cache-Control": "no-cache",
    TYPE_FIELD: "text/plain",
    ACL_FIELD: "private",
    OVERWRITE_FIELD: "true",
    UPLOAD_ID: "prove",
}
# What a field is changed to; any other one gets one character more.
OTHER_VALUES = {
    OVERWRITE_FIELD: "false",
    ACL_FIELD: "default",
    "success_action_status": "204",
    TYPE_FIELD: "image/png",
}


@dataclass
class Trial:
    """Forms of one session that may write below a folder."""

    sandbox: Sandbox
    folder: str
    session: Credentials

    def rule(self, key: str = "", **changes: Any) -> UploadRule:
        settings = self.sandbox.settings
        key = self.sandbox.new_key(key or f"{self.folder}{len(self.sandbox.keys_left)}")
        expires_at = self.sandbox.now + FORM_LIFE
        rule = UploadRule(settings.bucket, settings.region, "v4", key, 1, 1, expires_at, prepare(FORM))
        return rule._replace(**changes)

    def form(self, key: str = "", **changes: Any) -> dict[str, str]:
        return sign_object(self.rule(key, **changes), self.session, self.sandbox.now)

    def send(self, fields: dict[str, str], body: bytes = DOT) -> Seen:
        return is_taken(send(self.sandbox, fields, body=body))

    def refused(self, fields: dict[str, str], body: bytes = DOT) -> Seen:
        return is_refused(send(self.sandbox, fields, body=body))


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


def is_form_answered(sandbox: Sandbox, refused: Mapping[str, Any] = NONE, taken: Any = NONE) -> Seen:
    """
    Send a plain form, which must be taken, and one with the changes of a question.

    Args:
        refused, taken: changes; yes is the answer if OSS does what the name says. ``fields`` have conditions
            of their own, ``conditions`` are further ones, as JSON, ``unpinned`` fields and those
            ``after_file`` have none, and ``by`` are the actions of the session.
    """
    changes = {**refused, **taken}
    trial = Trial(sandbox, sandbox.new_folder(), sandbox.session(*changes.get("by", WRITE)))
    accepted(send(sandbox, trial.form(form=prepare(STATUS))))
    form = prepare({**STATUS, **changes.get("fields", NONE)})
    form = form._replace(conditions=(*form.conditions, *changes.get("conditions", ())))
    rule = trial.rule(form=form, signature_version=changes.get("version", "v4"))
    signed_at = sandbox.now - timedelta(minutes=changes.get("minutes_ago", 0))
    fields = sign_object(rule, trial.session, signed_at) | changes.get("unpinned", {})
    answer = send(sandbox, fields, changes.get("after_file", NONE))
    return is_refused(answer) if refused else is_taken(answer)


def _trial(sandbox: Sandbox) -> Trial:
    """Raises NotTried: there is no session, or OSS refuses a form of it."""
    folder = sandbox.new_folder()
    trial = Trial(sandbox, folder, sandbox.session(*WRITE, folder=folder))
    accepted(send(sandbox, trial.form()))
    return trial


def form_holds_each_field(sandbox: Sandbox) -> Seen:
    """Each field of a form in turn is changed, then left out."""
    trial = _trial(sandbox)

    def tried(name: str, is_left_out: bool) -> Seen:
        fields = trial.form()
        value = fields.pop(name)
        if not is_left_out:
            other = sandbox.new_key(f"{value}0") if name == "key" else f"{value}0"
            fields[name] = OTHER_VALUES.get(name, other)
        seen = trial.refused(fields)
        return seen._replace(evidence=f"{name}: {seen.evidence}")

    return are_all(tried(name, is_left_out) for name in trial.form() for is_left_out in (False, True))


def form_holds_the_size(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)

    def form() -> dict[str, str]:
        return trial.form(min_size_bytes=2, max_size_bytes=3)

    outside = [trial.refused(form(), DOT * count) for count in (1, 4)]
    return are_all([*outside, trial.send(form(), DOT * 3)])


def form_holds_the_folder(sandbox: Sandbox) -> Seen:
    """A form of a folder: the page names the file."""
    trial = _trial(sandbox)
    signed = sign_folder(trial.rule(key=f"{trial.folder}in/"), trial.session, sandbox.now)
    fields = {**signed.pinned, "policy": signed.policy, "x-oss-signature": signed.signature}

    def to(key: str) -> dict[str, str]:
        return {"key": sandbox.new_key(f"{trial.folder}{key}"), **fields}

    return are_all([trial.send(to("in/a")), trial.refused(to("out/a")), trial.refused(to("in"))])


def form_holds_the_bucket(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)
    return trial.refused(trial.form(bucket=f"{sandbox.settings.bucket}-2"))


def form_expires(sandbox: Sandbox) -> Seen:
    """Of an hour ago: this machine's clock may be some minutes ahead."""
    trial = _trial(sandbox)
    return trial.refused(trial.form(expires_at=sandbox.now - timedelta(hours=1)))


def form_stores_once(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)
    fields = trial.form()
    accepted(send(sandbox, fields))
    return is_refused(send(sandbox, fields), "FileAlreadyExists")


def form_stores_as_signed(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)
    fields = trial.form()
    answer = accepted(send(sandbox, fields))
    headers = accepted(sandbox.call("HEAD", fields["key"])).headers
    pinned = {"Content-Type": TYPE_FIELD, "Cache-Control": "Cache-Control", UPLOAD_ID: UPLOAD_ID}
    stored = {header: headers.get(header) for header in (*pinned, "Content-Length")}
    expected = {header: FORM[name] for header, name in pinned.items()} | {"Content-Length": str(len(DOT))}
    seen = ", ".join(map(str, stored.values()))
    return told(stored == expected and answer.status_code == 200, f"{evidence(answer)}, {seen}")


def other_bytes_have_another_etag(sandbox: Sandbox) -> Seen:
    trial, oss = _trial(sandbox), sandbox.client()
    etags = set()
    for body in (b".", b"-"):
        fields = trial.form()
        accepted(send(sandbox, fields, body=body))
        facts = head_object(oss, fields["key"])
        etags.add(facts and facts.etag)
    return told(len(etags) == 2, " / ".join(map(str, etags)))


def session_holds_its_folder(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)
    return trial.refused(trial.form(key=f"{sandbox.new_folder()}a"))


def session_holds_its_actions(sandbox: Sandbox) -> Seen:
    trial = _trial(sandbox)
    key = sandbox.put(key=f"{trial.folder}own")
    return are_all(
        is_refused(sandbox.call(method, key, by=trial.session)) for method in ("GET", "HEAD", "DELETE")
    )


def session_refuses_public_acls(sandbox: Sandbox) -> Seen:
    """A session as behind forms that leave the ACL to the page."""
    folder = sandbox.new_folder()
    session = sandbox.session(*WRITE, folder=folder, refused_acls=PUBLIC_ACLS)
    trial = Trial(sandbox, folder, session)
    accepted(send(sandbox, trial.form()))
    forms = (trial.form(form=prepare({**FORM, ACL_FIELD: acl})) for acl in PUBLIC_ACLS)
    return are_all(trial.refused(fields) for fields in forms)
