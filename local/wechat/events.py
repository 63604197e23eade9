"""
The event that brings a verdict, in the shapes that the page and reports show.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

# It is the platform's own name for somebody, and need not be the openid that the check was asked for.
SENDER = "oLocalPlatform0000000000000A"
RECEIVER = "gh_0local0wechat"
NORMAL, ILLEGAL, OTHER = 100, 20006, 21000
PROBABILITY = 90

FAILURES: dict[str, tuple[int, str]] = {
    # The comma is as narrow as WeChat writes it.
    "unreadable": (-1008, ",".join(("下载错误", "请检查媒体链接是否有效"))),
    "no_permission": (43104, "this appid does not have permission"),
}
# Verdict: what the result says, and what its one detail says.
RESULTS: dict[str, tuple[tuple[str, int], tuple[str, int]]] = {
    "pass": (("pass", NORMAL), ("pass", NORMAL)),
    "pass_unseen": (("pass", NORMAL), ("pass", NORMAL)),
    "review": (("review", OTHER), ("review", OTHER)),
    "risky": (("risky", ILLEGAL), ("risky", ILLEGAL)),
    "contradictory": (("pass", NORMAL), ("risky", ILLEGAL)),
}
# The status codes of version 1 are unsigned.
UNSIGNED = 2**32


class Subject(NamedTuple):
    """Subject of an event; the instant is timezone-aware UTC."""

    app_id: str
    trace_id: str
    at: datetime


def event_of(subject: Subject, verdict: str, shape: str) -> dict[str, Any]:
    """
    Args:
        verdict: one of ``RESULTS`` or ``FAILURES``.

        shape: ``usual``, ``text_label`` or ``v1``.
    """
    head = {
        "ToUserName": RECEIVER,
        "FromUserName": SENDER,
        "CreateTime": int(subject.at.timestamp()),
        "MsgType": "event",
        "Event": "wxa_media_check",
        "appid": subject.app_id,
        "trace_id": subject.trace_id,
    }
    if shape == "v1":
        return head | _version_1(verdict)
    if verdict in FAILURES:
        errcode, errmsg = FAILURES[verdict]
        return head | {"version": 2, "errcode": errcode, "errmsg": errmsg, "detail": []}
    return head | _version_2(verdict, has_text_labels=shape == "text_label")


def _version_1(verdict: str) -> dict[str, Any]:
    errcode = FAILURES.get(verdict, (0, ""))[0]
    is_risky = int(verdict in ("risky", "review"))
    return {"isrisky": is_risky, "extra_info_json": "", "status_code": errcode % UNSIGNED}


def _version_2(verdict: str, has_text_labels: bool) -> dict[str, Any]:
    result, detail = (_said(*said, has_text_labels) for said in RESULTS[verdict])
    entry = {"strategy": "content_model", "errcode": 0, **detail, "prob": PROBABILITY}
    head = {"version": 2} if has_text_labels else {"version": 2, "errcode": 0, "errmsg": "ok"}
    return {**head, "result": result, "detail": [entry]}


def _said(suggest: str, label: int, has_text_labels: bool) -> dict[str, Any]:
    return {"suggest": suggest, "label": str(label) if has_text_labels else label}


def as_json(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def as_xml(message: Mapping[str, Any]) -> bytes:
    """Return the event as XML. No page shows how ``result`` and ``detail`` nest: here as in JSON."""
    return f"<xml>{_elements(message)}</xml>".encode()


def _elements(message: Mapping[str, Any]) -> str:
    return "".join(
        _element(name, each)
        for name, value in message.items()
        for each in (value if isinstance(value, list) else [value])
    )


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inner = _elements(value)
    else:
        inner = f"<![CDATA[{value}]]>" if isinstance(value, str) else str(value)
    return f"<{name}>{inner}</{name}>"
