"""
Findings of the content check, from WeChat's verdicts.
"""

import re
from collections.abc import Mapping
from typing import Any

from function.errors import UploadError
from function.moderation.finding import Outcome
from ops.doctor.findings import Finding, State, joined, same
from ops.doctor.samples import READABLE
from ops.terminal.language import Text

PICTURE_THERE = Text("Content check of a picture", "内容审核：一张图片")
SOUND_THERE = Text("Content check of a sound", "内容审核：一段声音")
NOTHING = Text("Content check of nothing", "内容审核：不存在的地址")
# WeChat promises half an hour; it mostly takes seconds.
WAIT_SECONDS = 60.0


def of_what_is_there(check: Text, said: Mapping[str, Any] | None) -> Finding:
    """
    Args:
        check: of the picture or the sound.
        said: the record of the verdict; ``None`` where none came.
    """
    if said is None:
        return Finding(check, State.BAD, _SILENT, _SILENT_REMEDY)
    outcome = _told(said)
    if said.get("outcome") == Outcome.PASS.name:
        return Finding(check, State.GOOD, joined(_ARRIVED, outcome))
    if said.get("outcome") == Outcome.ERROR.name:
        return Finding(check, State.BAD, joined(_ARRIVED, outcome), joined(READABLE, _OWN_ADDRESS))
    return Finding(check, State.UNSURE, joined(_ARRIVED, outcome), _HARMLESS)


def of_nothing(said: Mapping[str, Any] | None) -> Finding:
    """Anything but a pass is well: there is nothing to pass."""
    if said is None:
        return Finding(NOTHING, State.BAD, _SILENT, _SILENT_REMEDY)
    if said.get("outcome") == Outcome.PASS.name:
        return Finding(NOTHING, State.BAD, _PASSES_ANYTHING, _PASSES_ANYTHING_REMEDY)
    return Finding(NOTHING, State.GOOD, joined(_NOT_PASSED, _told(said)))


def _told(said: Mapping[str, Any]) -> Text:
    outcome, errcode = str(said.get("outcome")).lower(), said.get("errcode")
    return same(outcome + (f" (errcode {errcode})" if errcode else ""))


def remedy_of(error: UploadError) -> Text:
    """Return the remedy for a failed call to WeChat or OSS."""
    code = error.upstream
    return remedy_for(int(code)) if re.fullmatch("-?[0-9]+", code) else _AGAIN


def remedy_for(errcode: int | None) -> Text:
    """Return the remedy for an error code of WeChat."""
    return REFUSALS.get(errcode or 0, LOOK_IT_UP)


_ARRIVED = Text("the verdict came through the function:", "审核结果经函数到达：")
_NOT_PASSED = Text("is not passed:", "没有通过：")
_SILENT = Text(f"no verdict within {WAIT_SECONDS:.0f} seconds", f"{WAIT_SECONDS:.0f} 秒内没有审核结果")
_SILENT_REMEDY = Text(
    "In WeChat's console see that the message push leads to this function's /wechat-events, in secure mode"
    " (“安全模式”), as JSON or XML, with WECHAT_PUSH_TOKEN and WECHAT_PUSH_AES_KEY as deployed, and that no"
    " cloud function takes wxa_media_check. The log of the function says why it refused a push.",
    "请在微信后台检查消息推送：地址是本函数的 /wechat-events，“安全模式”，JSON 或 XML，与已部署的"
    " WECHAT_PUSH_TOKEN、WECHAT_PUSH_AES_KEY 一致，并且没有云函数接收 wxa_media_check。"
    "函数的日志会写明为什么拒绝推送。",
)
_HARMLESS = Text(
    "It is a grey gradient or a tone of a second, so ask again; where WeChat stays with it, ask WeChat.",
    "那只是一张灰色渐变图或一秒钟的单音，请再试一次；微信仍这么说，就去问微信。",
)
_OWN_ADDRESS = Text(
    "With PUBLIC_URL set the function hands out what WeChat cannot open.",
    "设置 PUBLIC_URL 后，微信打不开的文件由函数交给它。",
)
_API_SECURITY = Text(
    "API security (“API安全”) is switched on in WeChat's console, among the development settings: switch it"
    " off, or no check is taken. Keys may stay.",
    "微信后台的开发设置里打开了“API安全”：请关掉，否则不接受审核请求。密钥可以保留。",
)
_PASSES_ANYTHING = Text("WeChat passes what it cannot open", "微信打不开也判为通过")
_PASSES_ANYTHING_REMEDY = Text(
    "Its pass proves nothing then. Switch off hot-link protection (“防盗链”) and see whether that changes;"
    ' else ask WeChat, and let a human look at everything: hold = ["commit"].',
    '这样的通过不能说明任何问题。请关掉防盗链再试；还是这样就去问微信，并改为人工审核：hold = ["commit"]。',
)
LOOK_IT_UP = Text(
    "docs/content-check.md has a table of what WeChat answers.",
    "docs/content-check.zh-CN.md 有微信响应的对照表。",
)
_AGAIN = Text("Try again.", "请再试一次。")
_MINUTE = Text("Try again in a minute.", "请一分钟后再试。")
REFUSALS = {
    61010: Text(
        "WeChat has not seen this user for two hours: open the mini-program and try again.",
        "微信两小时内没有见到这个用户：打开小程序再试。",
    ),
    40003: Text("That is no openid of this mini-program.", "这不是该小程序的 openid。"),
    43104: Text("That is no openid of this mini-program.", "这不是该小程序的 openid。"),
    40234: _API_SECURITY,
    40235: _API_SECURITY,
    45009: Text("The checks of the day are used up.", "当天的审核次数已用完。"),
    40164: Text(
        "The address is this machine's. The function asks from another: its log says so when it is refused,"
        " too. Switch the list off (“IP白名单”), or enter both.",
        "这是本机的地址。函数从另一个地址发出请求：它被拒绝时日志也会写明。请关掉“IP白名单”，或把两个地址都填进去。",
    ),
    -1: _MINUTE,
    44991: _MINUTE,
    45011: _MINUTE,
}
