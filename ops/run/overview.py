"""
Overview that ``serve`` prints: addresses, profiles, things to try, next steps.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from function.routes import ROUTES
from local.addresses import APP_SECRET
from local.buckets import ARCHIVE, HOME, Place
from local.callers import APP_ID, SEVERAL, app_of
from local.cloud import LocalCloud
from local.common.reach import HERE_ONLY, LOOPBACK
from local.profiles import Profiles
from ops.deploy.features import FEATURES
from ops.run.host import this_network
from ops.run.hosting import DEFAULT_PORT, Plan
from ops.run.phone import show_phone
from ops.terminal.language import Text
from ops.terminal.screen import Screen

WORDS = {
    "running": Text("The local cloud is running", "本地云已启动"),
    "function": Text("function", "函数"),
    "small_files": Text("files", "上传文件"),
    "large_files": Text("large files", "大文件"),
    "afterwards": Text("afterwards", "上传之后"),
    "held": Text("held back", "暂存"),
    "alive": Text("alive?", "是否在线"),
    "bucket": Text("bucket {bucket}, region {region}", "桶 {bucket}，地域 {region}"),
    "wechat": Text("WeChat", "微信"),
    "callers": Text("callers", "调用者"),
    "alipay": Text("Alipay", "支付宝"),
    "douyin": Text("Douyin", "抖音"),
    "moderation": Text("moderation", "内容安全"),
    "business": Text("business", "业务后端"),
    "posts": Text("GET and POST /posts, GET /deliveries", "GET 和 POST /posts，GET /deliveries"),
    "push": Text("message push", "消息推送"),
    "push_words": Text("what you write into WeChat's console", "在微信后台填的内容"),
    "this_business": Text(
        "the business here (yours: --webhook URL)", "这里的业务后端（用你的：--webhook URL）"
    ),
    "playground": Text("playground", "演练场"),
    "browser": Text("open this in a browser", "在浏览器里打开"),
    "objects": Text("objects", "对象"),
    "temporary": Text(
        "in a temporary folder, removed at the end (keep them: --folder)",
        "在临时目录里，结束时删除（要留下：--folder）",
    ),
    "receipts": Text("receipts", "回执"),
    "signed": Text("signed with {signed}, told to {told}", "用{signed}签名，发给：{told}"),
    "of_this_run": Text(
        "a secret of this run (yours: --token-secret)", "本次运行的密钥（用你的：--token-secret）"
    ),
    "yours": Text("--token-secret", " --token-secret "),
    "of_env": Text("RECEIPT_SECRET of .env", " .env 的 RECEIPT_SECRET "),
    "taken": Text(
        "Port {port} was taken: these are the next free ones; change the addresses in your mini-program too.",
        "端口 {port} 已被占用，改用了上面这些空闲的端口；小程序里写的地址也要改。",
    ),
    "profiles": Text("Profiles", "能传什么"),
    "try": Text("Try it", "试一试"),
    "yours_next": Text("In your mini-program", "在你的小程序里"),
    "devtools": Text("1. Open in WeChat DevTools: {example}", "1. 微信开发者工具打开：{example}"),
    "domains": Text(
        "   “详情 → 本地设置”, tick “不校验合法域名”: the local addresses are no https domains",
        "   详情 → 本地设置 → 勾选“不校验合法域名”：本地地址不是 https 域名",
    ),
    "own_profiles": Text(
        "   the profiles here: {own}; pages of the example with other ones: make run DEMO=1",
        "   这里的用途：{own}；示例里用到别的用途的页面：make run DEMO=1",
    ),
    "their_tools": Text(
        "1. Copy miniprogram/example/utils/oss-direct-upload into utils/ of miniprogram/examples/{caller},"
        " and open that in the platform's developer tools; endpoint: '{function}'",
        "1. 把 miniprogram/example/utils/oss-direct-upload 复制到 miniprogram/examples/{caller} 的 utils/，"
        "用平台的开发者工具打开它，endpoint: '{function}'",
    ),
    "their_codes": Text(
        "   any login code works, the client gets one by itself; see docs/client.md",
        "   登录的 code 任意都可用，客户端会自己取；说明见 docs/client.zh-CN.md",
    ),
    "own_code": Text(
        "2. Your own code: copy miniprogram/example/utils/oss-direct-upload, endpoint: '{function}'",
        "2. 你自己的代码：复制 miniprogram/example/utils/oss-direct-upload，endpoint: '{function}'",
    ),
    "codes": Text(
        "   any code of wx.login works; see docs/client.md",
        "   wx.login 的 code 直接可用；说明见 docs/client.zh-CN.md",
    ),
    "real": Text("3. The real cloud: docs/deploy.md", "3. 真正的云：docs/deploy.zh-CN.md"),
    "open": Text(
        "CALLER_AUTH=anonymous: anyone who reaches the function may upload.",
        "CALLER_AUTH=anonymous：任何能访问函数的人都能上传。",
    ),
    "end": Text(
        "Ctrl-C stops it. Log lines of the function follow on stderr.",
        "Ctrl-C 停止。函数的日志在 stderr。",
    ),
}

# Every route of the function, by what a caller is at.
ROUTES_FOR = {
    "small_files": ("upload-params", "login", "callback"),
    "large_files": ("multipart", "multipart-parts", "multipart-complete", "multipart-abort"),
    "afterwards": ("confirm", "read", "list", "delete", "introspect", "erase"),
    "held": ("commit", "discard", "status", "reviews", "wechat-events", "check-source"),
    "alive": ("health",),
}


def show_cloud(cloud: LocalCloud, screen: Screen, plan: Plan, language: str = "en") -> None:
    """Print what runs where, what may be uploaded, and something to try."""
    function = cloud.gateway.outer_origin
    screen.line()
    say = partial(_say, language)
    screen.title(say("running"))
    screen.pairs(
        {
            say("function"): function,
            **{f"  {say(subject)}": _calls(routes) for subject, routes in ROUTES_FOR.items()},
            "FC 2.0": f"{function}/2016-08-15/proxy/SERVICE/FUNCTION/upload-params",
            "OSS": _bucket(cloud.oss.outer_origin, HOME, language),
            "OSS 2": _bucket(cloud.archive.outer_origin, ARCHIVE, language),
            "STS": cloud.sts.origin,
            say("wechat"): _wechat(cloud),
            **_push(cloud, language),
            **{say(name): cloud.platforms[name].origin for name in ("alipay", "douyin")},
            **({say("callers"): _callers(cloud)} if cloud.deployment.callers else {}),
            say("moderation"): cloud.green.origin,
            say("business"): f"{cloud.business.outer_origin}   {say('posts')}",
            say("playground"): f"{cloud.playground.outer_origin}/   {say('browser')}",
            say("objects"): str(plan.folder or say("temporary")),
            say("receipts"): _receipts(cloud, plan.settings, language),
        }
    )
    if plan.port and not function.endswith(f":{plan.port}"):
        screen.line("    " + say("taken", port=plan.port))
    screen.line()
    screen.title(say("profiles"))
    screen.pairs(
        {
            _named(name, profile): f"{profile['max_size']:<8}  "
            + ", ".join(profile.get("content_types", ["*/*"]))
            for name, profile in cloud.profiles.items()
        }
    )
    screen.line()
    screen.title(say("try"))
    for line in example_lines(cloud):
        screen.line("    " + line)
    screen.line()
    screen.title(say("yours_next"))
    for line in next_lines(cloud, language):
        screen.line("    " + line)
    screen.line()
    if plan.reach != HERE_ONLY:
        show_phone(cloud, screen, this_network(), language)
    if cloud.caller_auth == "anonymous":
        screen.warn(say("open"))
    screen.line(say("end"))


def _named(name: str, profile: Mapping[str, Any]) -> str:
    return f"{name} {profile['title']}" if profile.get("title") else name


def _say(language: str, name: str, **values: object) -> str:
    return WORDS[name].say(language, **values)


def _calls(routes: tuple[str, ...]) -> str:
    """Methods and paths: ``GET|POST /upload-params, POST /login /callback``."""
    by_methods = groupby(routes, lambda route: "|".join(ROUTES[route].methods))
    return ", ".join(f"{methods} {' '.join(f'/{route}' for route in group)}" for methods, group in by_methods)


def _bucket(origin: str, place: Place, language: str) -> str:
    return f"{origin}   {_say(language, 'bucket', bucket=place.bucket, region=place.region)}"


def _push(cloud: LocalCloud, language: str) -> dict[str, str]:
    """Return the push settings of the local WeChat; other callers have none."""
    words = _say(language, "push_words")
    if cloud.caller_auth == SEVERAL:
        return dict(_pushes(cloud, language, words))
    if cloud.caller_auth != "wechat":
        return {}
    push = cloud.push
    return {
        _say(language, "push"): f"{push.url}   {words}",
        "  Token": push.token,
        "  EncodingAESKey": push.aes_key,
    }


def _pushes(cloud: LocalCloud, language: str, words: str) -> Iterator[tuple[str, str]]:
    """Yield the push settings of each mini-program of WeChat, which has an address of its own."""
    for name, entry in cloud.deployment.callers.items():
        if entry.get("kind") == "wechat":
            push = cloud.wechat.checks.pushes[app_of(entry)] or cloud.push
            yield f"{_say(language, 'push')} [{name}]", f"{push.url}   {words}"
            yield f"  Token [{name}]", push.token
            yield f"  AESKey [{name}]", push.aes_key


def _wechat(cloud: LocalCloud) -> str:
    """Return the address of the local WeChat with the mini-program that it always knows."""
    if cloud.caller_auth == SEVERAL:
        return cloud.wechat.origin
    return f"{cloud.wechat.origin}   AppID {APP_ID}   AppSecret {APP_SECRET}"


def _callers(cloud: LocalCloud) -> str:
    entries = cloud.deployment.callers.items()
    return ", ".join(f"[{name}] {app_of(entry) or entry.get('issuer', '')}" for name, entry in entries)


def _receipts(cloud: LocalCloud, settings: Mapping[str, str], language: str) -> str:
    of_env = "of_env" if "RECEIPT_SECRET" in cloud.deployment.settings else "of_this_run"
    signed = _say(language, "yours" if "TOKEN_SECRET" in settings else of_env)
    told = settings.get("UPLOAD_WEBHOOK_URL") or _say(language, "this_business")
    return _say(language, "signed", signed=signed, told=told)


def next_lines(cloud: LocalCloud, language: str = "en") -> list[str]:
    """Return the next steps of a mini-program developer."""
    function, caller = cloud.gateway.outer_origin, cloud.caller_auth
    is_in_example = function == f"http://{LOOPBACK}:{DEFAULT_PORT}"
    example = "miniprogram/example" + ("" if is_in_example else f", config.js: '{function}'")
    own = ", ".join(f"[{name}]" for name in cloud.profiles)
    is_of_example = {each.profile for each in FEATURES.values()} <= set(cloud.profiles)
    lines = ("devtools", "domains", *([] if is_of_example else ["own_profiles"]), "own_code", "codes", "real")
    if caller in ("alipay", "douyin"):
        lines = ("their_tools", "their_codes", "own_code", "real")
    return [
        _say(language, name, example=example, function=function, own=own, caller=caller) for name in lines
    ]


def example_lines(cloud: LocalCloud) -> list[str]:
    """Commands for a POSIX shell, one a line, that get a signed form from this cloud."""
    curl, json_type = f"curl -s {cloud.gateway.outer_origin}", "-H 'Content-Type: application/json'"
    first, header = [], ""
    if cloud.caller_auth in (*cloud.platforms, SEVERAL):
        able = [app_of(entry) for entry in cloud.deployment.callers.values() if app_of(entry)]
        app = f',"app":"{able[0]}"' if able else ""
        login = f"""{curl}/login {json_type} -d '{{"code":"local-'$(date +%s)'"{app}}}'"""
        first = [f"""TOKEN=$({login} | sed 's/.*"token": *"//; s/".*//')"""]
    elif cloud.caller_auth == "jwt":
        first = [f"TOKEN={cloud.business_token('local-user')}"]
    if first:
        header = ' -H "Authorization: Bearer $TOKEN"'
    wanted = json.dumps(_some_upload(cloud.profiles), separators=(",", ":"))
    return [*first, f"{curl}/upload-params{header} {json_type} -d '{wanted}'"]


def _some_upload(profiles: Profiles) -> dict[str, Any]:
    """Return a request for a form of ``[avatar]``, or else of the first profile that needs no digest."""
    plain = [name for name, profile in profiles.items() if "{sha256}" not in profile["key"]]
    name = "avatar" if "avatar" in plain else next(iter([*plain, *profiles]))
    kinds = profiles[name].get("content_types", ["*/*"])
    if any(kind.startswith(("image/", "*")) for kind in kinds):
        return {"profile": name, "filename": "me.png"}
    return {"profile": name, "contentType": kinds[0].replace("*", "mp4")}
