"""
Open points of forms.
"""

import json
from base64 import b64encode
from datetime import timedelta

from ops.doctor.evidence import accepted, evidence
from ops.doctor.open_point import Point, Seen, is_refused, is_taken
from ops.doctor.sandbox import Sandbox
from ops.terminal.language import Text

BEYOND_THE_WINDOW = timedelta(minutes=16)
STATUS = {"success_action_status": "200"}
ACL = "x-oss-object-acl"


def _form_of_16_minutes_ago(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    return is_refused(sandbox.post(STATUS, at=sandbox.now - BEYOND_THE_WINDOW))


def _v1(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    return is_refused(sandbox.post(STATUS, is_v1=True))


def _acl_by_putobject_alone(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:PutObject")
    accepted(sandbox.post(STATUS, by=session))
    return is_refused(sandbox.post({**STATUS, ACL: "default"}, by=session))


def _field_after_the_file(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    return is_taken(sandbox.post(STATUS, after_file={"submit": "Upload"}))


def _absent_field(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    return is_taken(sandbox.post(STATUS, conditions=['["not-in","$x-oss-meta-prove",["z"]]']))


def _without_dollar(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    condition = '["eq","success_action_status","200"]'
    return is_taken(sandbox.post({}, conditions=[condition], unpinned=STATUS))


def _content_type(sandbox: Sandbox) -> Seen:
    accepted(sandbox.post(STATUS))
    types = {"Content-Type": "text/plain", "x-oss-content-type": "image/png"}
    return is_taken(sandbox.post(STATUS, conditions=['["eq","$content-type","image/png"]'], unpinned=types))


def _callback_wait(sandbox: Sandbox) -> Seen:
    parameter = {
        "callbackUrl": sandbox.silent_url,
        "callbackBody": "bucket=${bucket}",
        "callbackBodyType": "application/x-www-form-urlencoded",
    }
    answer = sandbox.post({**STATUS, "callback": b64encode(json.dumps(parameter).encode()).decode()})
    seconds = answer.elapsed.total_seconds()
    said = Text(f"{seconds:.1f} s until the answer", f"{seconds:.1f} 秒后响应")
    return Seen(None, said, evidence(answer))


POINTS = (
    Point(
        "strict_date_window",
        Text(
            "Is a form refused 16 minutes after its x-oss-date?", "x-oss-date 之后 16 分钟的表单会被拒绝吗？"
        ),
        *(True, 2, _form_of_16_minutes_ago),
    ),
    Point(
        "v1_retired",
        Text("Is signature version 1 refused?", "V1 签名会被拒绝吗？"),
        *(True, 2, _v1),
    ),
    Point(
        "acl_needs_permission",
        Text("Does an ACL in a form need oss:PutObjectAcl?", "表单里写了 ACL 时需要 oss:PutObjectAcl 吗？"),
        *(True, 3, _acl_by_putobject_alone),
    ),
    Point(
        "fields_after_file_allowed",
        Text("May a field come after the file?", "文件之后还能有字段吗？"),
        *(True, 2, _field_after_the_file),
    ),
    Point(
        "absent_field_meets_not_in",
        Text("Does a field that is not sent meet not-in?", "没有发送的字段满足 not-in 吗？"),
        *(True, 2, _absent_field),
    ),
    Point(
        "dollar_optional",
        Text("May a condition leave the $ out?", "条件可以不写 $ 吗？"),
        *(True, 2, _without_dollar),
    ),
    Point(
        "content_type_sees_override",
        Text(
            "Does $content-type look at x-oss-content-type?",
            "$content-type 看的是 x-oss-content-type 吗？",
        ),
        *(True, 2, _content_type),
    ),
    Point(
        "callback_wait",
        Text("How long does OSS wait for a callback?", "OSS 等待回调多久？"),
        *(False, 1, _callback_wait),
    ),
)
