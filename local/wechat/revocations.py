"""
Events by which a user takes an authorisation back, or leaves WeChat.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.wechat.events import RECEIVER, SENDER
from local.wechat.rules import WechatRules

EVENTS = ("user_authorization_revoke", "user_authorization_cancellation", "user_info_modified")
PUSHES = ("secure", "compatible", "plain", "wrong_appid", "bad_signature")
FORMATS = ("json", "xml")
MOST_TIMES = 10


@dataclass(frozen=True)
class Revocation:
    """
    Args:
        openid: of the user; empty for none, as ``user_info_modified`` came once.

        info: ``RevokeInfo``: a number, or several; empty for none.

        app: AppID of the mini-program that pushes; empty for the first.

        appid: inside the event; empty for the mini-program's own.

        times: how often the same message is sent.
    """

    openid: str
    event: str = EVENTS[0]
    info: str = "14"
    app: str = ""
    appid: str = ""
    push: str = PUSHES[0]
    format: str = FORMATS[0]
    times: int = 1


def read_revocation(wanted: Mapping[str, Any]) -> Revocation:
    """
    Raises:
        ValueError: no such member, or no such value of it.
    """
    if unknown := set(wanted) - set(Revocation.__dataclass_fields__):
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    for name, known in (("event", EVENTS), ("push", PUSHES), ("format", FORMATS)):
        if wanted.get(name, known[0]) not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}")
    texts = [wanted.get("openid"), *(wanted.get(name, "") for name in ("info", "app", "appid"))]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("openid (empty for an event without one), info, app and appid are texts")
    times = wanted.get("times", 1)
    if type(times) is not int or not 1 <= times <= MOST_TIMES:
        raise ValueError(f"times is a whole number from 1 to {MOST_TIMES}")
    return Revocation(**wanted)


def event_of(asked: Revocation, app_id: str, rules: WechatRules, at: datetime) -> dict[str, Any]:
    """Make the event; with blanks where the page's samples have them, if the rules say so."""
    said = {
        "OpenID": asked.openid,
        "AppID": asked.appid or app_id,
        "RevokeInfo": asked.info,
        "UnionID": f"union-{asked.openid}" if rules.revocations_have_unionid else "",
    }
    fields = {name: text for name, text in said.items() if text}
    if rules.revocations_have_blanks:
        # A name of XML cannot have one.
        before = " " if asked.format == "json" else ""
        fields = {name: f" {text}" for name, text in fields.items()}
        if "OpenID" in fields:
            fields[f"{before}OpenID"] = fields.pop("OpenID")
    return {
        "ToUserName": RECEIVER,
        "FromUserName": SENDER,
        "CreateTime": int(at.timestamp()),
        "MsgType": "event",
        "Event": asked.event,
        **fields,
    }
