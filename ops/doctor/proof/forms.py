"""
Open points of forms.
"""

import json
from base64 import b64encode
from datetime import timedelta

from ops.doctor.evidence import NotTried, accepted, evidence
from ops.doctor.proof.point import Seen, is_refused, is_taken
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.trial_form import post

BEYOND_THE_WINDOW = timedelta(minutes=16)
STATUS = {"success_action_status": "200"}
ACL = "x-oss-object-acl"


def strict_date_window(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    return is_refused(post(sandbox, STATUS, at=sandbox.now - BEYOND_THE_WINDOW))


def v1_retired(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    return is_refused(post(sandbox, STATUS, is_v1=True))


def acl_needs_permission(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:PutObject")
    accepted(post(sandbox, STATUS, by=session))
    return is_refused(post(sandbox, {**STATUS, ACL: "default"}, by=session))


def fields_after_file_allowed(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    return is_taken(post(sandbox, STATUS, after_file={"submit": "Upload"}))


def absent_field_meets_not_in(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    return is_taken(post(sandbox, STATUS, conditions=['["not-in","$x-oss-meta-prove",["z"]]']))


def dollar_optional(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    condition = '["eq","success_action_status","200"]'
    return is_taken(post(sandbox, {}, conditions=[condition], unpinned=STATUS))


def content_type_sees_override(sandbox: Sandbox) -> Seen:
    accepted(post(sandbox, STATUS))
    types = {"Content-Type": "text/plain", "x-oss-content-type": "image/png"}
    return is_taken(post(sandbox, STATUS, conditions=['["eq","$content-type","image/png"]'], unpinned=types))


def callback_wait(sandbox: Sandbox) -> Seen:
    parameter = {
        "callbackUrl": sandbox.silent_url,
        "callbackBody": "bucket=${bucket}",
        "callbackBodyType": "application/x-www-form-urlencoded",
    }
    answer = post(sandbox, {**STATUS, "callback": b64encode(json.dumps(parameter).encode()).decode()})
    if answer.status_code != 203:
        # Refused, or called back by somebody.
        raise NotTried(evidence(answer))
    seconds = answer.elapsed.total_seconds()
    said = f"{seconds:.1f} s until the answer"
    return Seen(None, said, evidence(answer))
