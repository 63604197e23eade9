"""Remedies for what a checker answers."""

from function.moderation.aliyun_verdict import Verdict
from function.moderation.finding import Label
from ops.doctor.findings import joined, unreachable
from ops.doctor.identity import WRONG_SECRET
from ops.explain.advice import find_advice
from ops.terminal.language import Text

# Of both editions of Content Moderation: not downloaded, or not in time; too many calls; a wrong parameter.
NOT_OPENED, TOO_OFTEN, WRONG = (404, 405, 480, 592), (403, 588), (400, 401, 402)
# A user whom WeChat does not know, or has not seen lately; an allow-list of addresses.
USERS, ADDRESS_REFUSED = ("61010", "40003", "43104"), "40164"


def of_wechat(errcode: object) -> Text:
    """Return the remedy for an error code of WeChat."""
    code = str(errcode)
    advice = find_advice(code)
    if advice is None:
        return LOOK_IT_UP
    if code == ADDRESS_REFUSED:
        return joined(advice.meaning, _THIS_MACHINE)
    return joined(advice.meaning, OPENID if code in USERS else advice.remedy)


def of_green(verdict: Verdict) -> Text:
    """Return the remedy for a call of Content Moderation that checked nothing."""
    code: Label | None = verdict.finding.errcode
    if verdict.is_forbidden:
        return _GRANT
    if code is None:
        return unreachable("GREEN_ENDPOINT", "OSS_REGION")
    if code == "SignatureDoesNotMatch":
        return WRONG_SECRET
    if code in TOO_OFTEN or str(code).startswith("Throttling"):
        return _MINUTE
    if isinstance(code, str):
        advice = find_advice(code)
        return joined(advice.meaning, advice.remedy) if advice else LOOK_IT_UP
    if code in NOT_OPENED:
        return READABLE
    return _SERVICE if code in WRONG else LOOK_IT_UP


READABLE = Text(
    "READ_ORIGIN must be public, and hot-link protection (“防盗链”) of bucket and CDN must let in an empty"
    " Referer.",
    "READ_ORIGIN 必须能公开访问，桶与 CDN 的防盗链必须允许空 Referer。",
)
OWN_ADDRESS = Text(
    "With PUBLIC_URL set the function hands out what WeChat cannot open.",
    "设置 PUBLIC_URL 后，微信打不开的文件由函数交给它。",
)
PASSES_ANYTHING = Text(
    "It passes what it cannot open, so a pass proves nothing. Switch off hot-link protection (“防盗链”), let"
    " READ_ORIGIN answer 404 without an error page, and see whether that changes; else ask the checker, and"
    ' let a human look at everything: hold = ["commit"].',
    "打不开也判为通过，这样的通过不能说明任何问题。请关掉防盗链，让 READ_ORIGIN 返回 404、不要用错误页代替，"
    '然后再试；还是这样就去问审核方，并改为人工审核：hold = ["commit"]。',
)
SILENT = Text(
    "In WeChat's console see that the message push leads to this function's /wechat-events, in secure mode"
    " (“安全模式”), as JSON or XML, with WECHAT_PUSH_TOKEN and WECHAT_PUSH_AES_KEY as deployed, and that no"
    " cloud function takes wxa_media_check. The log of the function says why it refused a push.",
    "请在微信后台检查消息推送：地址是本函数的 /wechat-events，“安全模式”，JSON 或 XML，与已部署的"
    " WECHAT_PUSH_TOKEN、WECHAT_PUSH_AES_KEY 一致，并且没有云函数接收 wxa_media_check。"
    "函数的日志会写明为什么拒绝推送。",
)
OPENID = Text(
    "Open the mini-program, then add --openid, or --code with a code of wx.login.",
    "打开小程序，再加上 --openid，或用 --code 给出 wx.login 的 code。",
)
_THIS_MACHINE = Text(
    "The address is this machine's; the function asks from another. Switch the list off (“IP白名单”), or"
    " enter both.",
    "这是本机的地址，函数从另一个地址发出请求。请关掉“IP白名单”，或把两个地址都填进去。",
)
_GRANT = Text(
    "Activate Content Moderation, enhanced edition, in its console, pay what is overdue, and"
    " grant yundun-greenweb:ImageModeration on * to the function's own role (manage.py setup does) and to"
    " the user of this machine's key.",
    "请在控制台开通内容安全增强版、结清欠费，并授予 yundun-greenweb:ImageModeration（资源为 *）权限："
    "函数自己的角色由 manage.py setup 授予，本机密钥所属的用户请自行授予。",
)
_SERVICE = Text(
    "See whether check_service is a service that this account has at GREEN_ENDPOINT; abroad their names end"
    " in _cb or _global.",
    "请检查 check_service 是不是这个账号在 GREEN_ENDPOINT 有的服务；"
    "中国内地以外的服务名以 _cb 或 _global 结尾。",
)
_MINUTE = Text("Too many calls a second. Try again in a minute.", "每秒请求太多。请一分钟后再试。")
LOOK_IT_UP = Text(
    "Try again; docs/content-check.md has a table of what WeChat and Content Moderation answer.",
    "请再试一次；docs/content-check.zh-CN.md 有微信和内容安全响应的对照表。",
)
