"""The checks of ``doctor`` on the deployed function: its callback, its health, the domains it needs."""

import secrets
import time
from collections.abc import Iterable, Mapping
from functools import partial
from urllib.parse import urlencode, urlsplit

from function.config.profile import Profile
from function.config.setting_table import CallerEntry
from function.config.settings import Settings
from function.wechat.push import signature_of
from ops.client.features import code_of, lacking_options
from ops.client.function_client import FunctionAtUrl, FunctionSilent, is_default_domain
from ops.doctor.exchange import answer_of
from ops.doctor.findings import Finding, Refused, State, check, deploy_again, refusal, same, unreachable
from ops.doctor.places import each_place
from ops.terminal.language import Text
from ops.terminal.masking import printable

FEATURES = Text("Your profiles", "你的用途")


@check(Text("Callback", "回调"))
def check_callback(settings: Settings) -> Text:
    """Call back as a stranger: our function refuses with its own JSON, anything else is not our function."""
    url = settings.callback_url
    if url is None:
        said = Text("CALLBACK_URL is not set; no profile needs it", "未设置 CALLBACK_URL；没有用途需要它")
        raise Refused(said, None, State.SKIPPED)
    base, remedy = url.removesuffix("/callback"), unreachable("CALLBACK_URL")
    answer = answer_of(base, "callback", "{}", remedy=remedy)
    code = code_of(answer)
    if answer.status in (400, 403) and code:
        return Text(f"{url} answers, and refuses strangers", f"{url} 有响应，并拒绝非 OSS 的请求")
    if code:
        raise Refused(*refusal(answer.status, answer.text))
    raise Refused(_not_ours(url, answer.status), _CHECK_ADDRESS)


def check_push(settings: Settings, url: str) -> list[Finding]:
    """Try the address of the message push as WeChat's console does when it is saved; that costs nothing."""
    if not url or not any(one.is_checked_by_wechat for one in settings.profiles.values()):
        return []
    return [_check_push(url, one) for one in wechat_callers(settings) if one.settings.push]


def wechat_callers(settings: Settings) -> list[CallerEntry]:
    return [entry for entry in settings.callers if entry.kind_name == "wechat"]


def push_route(entry: CallerEntry) -> str:
    """Return the route of a caller's message push: of one of several with its AppID."""
    return f"wechat-events/{entry.settings.appid}" if entry.name else "wechat-events"


@check(Text("Message push", "消息推送"))
def _check_push(url: str, entry: CallerEntry) -> Text:
    asked = {"timestamp": str(int(time.time())), "nonce": secrets.token_hex(8)}
    asked |= {"signature": signature_of(entry.settings.push.token, asked), "echostr": secrets.token_hex(8)}
    address, query = f"{url}/{push_route(entry)}", urlencode(asked)
    answer = answer_of(url, f"{push_route(entry)}?{query}", None)
    if (answer.status, answer.text) == (200, asked["echostr"]):
        return Text(f"{address} answers WeChat's console", f"{address} 能响应微信后台")
    if code_of(answer):
        raise Refused(refusal(answer.status, answer.text)[0], _DEPLOY_PUSH)
    raise Refused(_not_ours(address, answer.status), _CHECK_ADDRESS)


def check_function(url: str) -> list[Finding]:
    """The deployed function's health, and whether its own settings are complete."""
    found = [_check_health(url)]
    if found[0].state is State.GOOD and is_default_domain(url):
        said = Text("this is a testing address of Function Compute", "这是函数计算的测试域名")
        found.append(Finding(found[0].check, State.UNSURE, said, _BIND_A_DOMAIN))
    return found


@check(Text("Deployed function", "已部署的函数"))
def _check_health(url: str) -> Text:
    if not url:
        said = Text("no --url given, nor CALLBACK_URL", "未给出 --url，也没有 CALLBACK_URL")
        raise Refused(said, None, State.SKIPPED)
    ask = partial(answer_of, url, remedy=_CHECK_ADDRESS)
    health = ask("health", None)
    # A body that is no JSON needs the settings, and is refused before anything is signed or counted.
    form = ask("upload-params", "[")
    if health.status != 200 or health.json.get("status") != "ok":
        raise Refused(_not_ours(f"{url}/health", health.status), _CHECK_ADDRESS)
    if form.status >= 500 or not code_of(form):
        raise Refused(*refusal(form.status, form.text))
    en, zh = f"{url} is healthy", f"{url} 运行正常"
    names = ("functionVersion", "qualifier")
    version, qualifier = (printable(str(health.json.get(name, ""))) for name in names)
    if version:
        by = f" ({qualifier})" if qualifier else ""
        en, zh = f"{en}; version {version}{by}", f"{zh}；版本 {version}{by}"
    return Text(en, zh)


def check_features(url: str, token: str, profiles: Mapping[str, Profile]) -> list[Finding]:
    """Return what of the profiles here the deployed function does not have."""
    try:
        lacking = lacking_options(FunctionAtUrl(url), token, profiles)
    except FunctionSilent as error:
        return [Finding(FEATURES, State.UNSURE, error.said, unreachable("--url"))]
    if not lacking:
        return []
    said = Text("; ".join(each.en for each in lacking), "；".join(each.zh for each in lacking))
    return [Finding(FEATURES, State.UNSURE, said, _ADD_FEATURES)]


def domains(settings: Settings, url: str) -> list[tuple[str, Text]]:
    """The rows of the mini-program console's domain lists, and what belongs into each."""
    request, uploads, downloads = [url], [], []
    for there in each_place(settings):
        uploads.append(there.host)
        profiles = there.profiles.values()
        # Parts travel by wx.request; what is listed for uploadFile does not count for them.
        if any(profile.parts for profile in profiles):
            request.append(there.host)
        # What is read through the function comes from an origin that may be another one.
        downloads.append(there.read_origin if any(profile.read for profile in profiles) else there.host)
    return [
        ("request", _listed(request)),
        ("uploadFile", _listed(uploads)),
        ("downloadFile", _listed(downloads)),
    ]


def _listed(urls: Iterable[str]) -> Text:
    """Each domain once; an empty address is the function's, which nobody knows."""
    origins = dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(url)) if url else "" for url in urls)
    said = [same(origin) if origin else _NO_URL for origin in origins]
    listed = Text(*("; ".join(texts) for texts in zip(*said, strict=True)))
    if any(origin.startswith("http:") for origin in origins):
        return Text(f"{listed.en} {_HTTPS_ONLY.en}", f"{listed.zh}{_HTTPS_ONLY.zh}")
    return listed


def _not_ours(url: str, status: int) -> Text:
    return Text(
        f"{url} answered {status}, but not as this function does", f"{url} 返回 {status}，但不是本函数的响应"
    )


_NO_URL = Text("the https address of the function: give --url", "函数的 https 地址：请给出 --url")
_HTTPS_ONLY = Text(
    "(WeChat takes https domains only; fine in the developer tools with the check off)",
    "（微信只接受 https 域名；在开发者工具中关闭校验后可用）",
)
_BIND_A_DOMAIN = Text(
    "Bind a domain of your own (.env: CUSTOM_DOMAIN); in the mainland it needs an ICP filing.",
    "请绑定自己的域名（.env：CUSTOM_DOMAIN）；中国内地需要 ICP 备案。",
)
_DEPLOY_PUSH = deploy_again("WECHAT_PUSH_TOKEN or the profiles", " WECHAT_PUSH_TOKEN 或用途")
_ADD_FEATURES = Text(
    "profiles.toml here is not what is deployed: make deploy.",
    "这里的 profiles.toml 和已部署的不一样：请 make deploy。",
)
_CHECK_ADDRESS = Text(
    "Check the address (--url, CALLBACK_URL) and its path, and that the function is deployed: make deploy.",
    "请检查地址（--url、CALLBACK_URL）与路径，并确认已部署：make deploy。",
)
