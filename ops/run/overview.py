"""Overview that ``serve`` prints: addresses, profiles, next steps."""

import json
from functools import partial
from typing import Any

from local.addresses import APP_SECRET
from local.buckets import ARCHIVE, HOME
from local.callers import APP_ID, SEVERAL, app_of
from local.cloud import LocalCloud
from local.common.reach import HERE_ONLY, LOOPBACK
from local.profiles import Profiles
from local.wechat.push import PushSettings
from ops.deploy.features import FEATURES
from ops.run.host import show_phone
from ops.run.hosting import DEFAULT_PORT, Plan
from ops.terminal.language import Text
from ops.terminal.screen import Screen

WORDS = {
    "running": Text("The local cloud is running", "本地云已启动"),
    "function": Text("function", "函数"),
    "bucket": Text("{origin}   bucket {bucket}, region {region}", "{origin}   桶 {bucket}，地域 {region}"),
    "wechat": Text("WeChat", "微信"),
    "callers": Text("callers", "调用者"),
    "alipay": Text("Alipay", "支付宝"),
    "douyin": Text("Douyin", "抖音"),
    "moderation": Text("moderation", "内容安全"),
    "business": Text("business", "业务后端"),
    "posts": Text("GET and POST /posts, GET /deliveries", "GET 和 POST /posts，GET /deliveries"),
    "push": Text("message push", "消息推送"),
    "push_words": Text("what you write into WeChat's console", "在微信后台填的内容"),
    "playground": Text("playground", "演练场"),
    "browser": Text("open this in a browser", "在浏览器里打开"),
    "objects": Text("objects", "对象"),
    "temporary": Text(
        "in a temporary folder, removed at the end (keep them: --folder)",
        "在临时目录里，结束时删除（要留下：--folder）",
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
    "own_code": Text(
        "2. Your own code: copy miniprogram/example/utils/oss-direct-upload, endpoint: '{function}'",
        "2. 你自己的代码：复制 miniprogram/example/utils/oss-direct-upload，endpoint: '{function}'",
    ),
    "codes": Text(
        "   any login code works here; see docs/client.md",
        "   这里任何登录 code 都可用；说明见 docs/client.zh-CN.md",
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


def show_cloud(cloud: LocalCloud, screen: Screen, plan: Plan, language: str = "en") -> None:
    """Print what runs where, what may be uploaded, and what to do next."""
    say = partial(_say, language)
    screen.line()
    screen.title(say("running"))
    screen.pairs(_addresses(cloud, plan, language))
    screen.line()
    screen.title(say("profiles"))
    rows = {}
    for name, profile in cloud.profiles.items():
        types = ", ".join(profile.get("content_types", ["*/*"]))
        rows[f"{name} {profile.get('title', '')}".rstrip()] = f"{profile['max_size']:<8}  {types}"
    screen.pairs(rows)
    for title, lines in (("try", example_lines(cloud)), ("yours_next", next_lines(cloud, language))):
        screen.line()
        screen.title(say(title))
        for line in lines:
            screen.line("    " + line)
    screen.line()
    if plan.reach != HERE_ONLY:
        show_phone(cloud, screen, language)
    if cloud.caller_auth == "anonymous":
        screen.warn(say("open"))
    screen.line(say("end"))


def _addresses(cloud: LocalCloud, plan: Plan, language: str) -> dict[str, str]:
    say = partial(_say, language)
    rows = {say("function"): cloud.gateway.outer_origin}
    for name, store, place in (("OSS", cloud.oss, HOME), ("OSS 2", cloud.archive, ARCHIVE)):
        rows[name] = say("bucket", origin=store.outer_origin, bucket=place.bucket, region=place.region)
    # The mini-program that it always knows; several callers have theirs in a row of their own.
    known = "" if cloud.caller_auth == SEVERAL else f"   AppID {APP_ID}   AppSecret {APP_SECRET}"
    rows |= {"STS": cloud.sts.origin, say("wechat"): cloud.wechat.origin + known}
    for name, push in _pushes(cloud).items():
        rows[say("push") + name] = f"{push.url}   {say('push_words')}"
        rows |= {f"  Token{name}": push.token, f"  EncodingAESKey{name}": push.aes_key}
    rows |= {say(name): cloud.platforms[name].origin for name in ("alipay", "douyin")}
    if callers := cloud.deployment.callers:
        apps = ((name, app_of(entry) or entry.get("issuer", "")) for name, entry in callers.items())
        rows[say("callers")] = ", ".join(f"[{name}] {app}" for name, app in apps)
    return rows | {
        say("moderation"): cloud.green.origin,
        say("business"): f"{cloud.business.outer_origin}   {say('posts')}",
        say("playground"): f"{cloud.playground.outer_origin}/   {say('browser')}",
        say("objects"): str(plan.folder or say("temporary")),
    }


def _say(language: str, name: str, **values: object) -> str:
    return WORDS[name].say(language, **values)


def _pushes(cloud: LocalCloud) -> dict[str, PushSettings]:
    """Return the push settings of each mini-program of WeChat, by its name among several."""
    if cloud.caller_auth == "wechat":
        return {"": cloud.push}
    return {
        f" [{name}]": cloud.wechat.checks.pushes[app_of(entry)] or cloud.push
        for name, entry in cloud.deployment.callers.items()
        if entry.get("kind") == "wechat"
    }


def next_lines(cloud: LocalCloud, language: str = "en") -> list[str]:
    """Return the next steps of a mini-program developer."""
    function, caller = cloud.gateway.outer_origin, cloud.caller_auth
    is_in_example = function == f"http://{LOOPBACK}:{DEFAULT_PORT}"
    example = "miniprogram/example" + ("" if is_in_example else f", config.js: '{function}'")
    own = ", ".join(f"[{name}]" for name in cloud.profiles)
    is_of_example = {each.profile for each in FEATURES.values()} <= set(cloud.profiles)
    names = ["devtools", "domains", *([] if is_of_example else ["own_profiles"])]
    if caller in ("alipay", "douyin"):
        names = ["their_tools"]
    return [
        _say(language, name, example=example, function=function, own=own, caller=caller)
        for name in (*names, "own_code", "codes", "real")
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
