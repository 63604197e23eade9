"""
What calls the function: its HTTP trigger, its timer, its domain; all through the alias `live`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from function.config.profile import Profile
from ops.deploy.live import ALIAS
from ops.deploy.s_yaml import Place, Problem, mapping
from ops.deploy.schema_check import wrong_value
from ops.terminal.language import Text

NEEDED_METHODS = ("GET", "POST", "OPTIONS")
EVERY = re.compile(r"@every ([1-9]\d{0,4})m")
ZONE = re.compile(r"CRON_TZ=[A-Za-z_]+(?:/[A-Za-z_+-]+)* ")
# Second, minute, hour, day of month, month, day of week; what stands in each is left to Function Compute.
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/time-trigger
FIELDS = 6
EVERY_MINUTE = re.compile(r"@every 1m|\d+ (?:\*|\*/1|0-59) \* [*?] \* [*?]")
FIELD_COUNT = Text(
    "has {count} fields; Function Compute takes 6, the second first ('0 * * * * *'), or '@every 1m'",
    "有 {count} 段；函数计算要 6 段，秒在最前（'0 * * * * *'），或写 '@every 1m'",
)
SECOND = Text(
    "the second must be a number, 0 to 59; no other character is taken there", "秒只能是 0 到 59 的一个数字"
)
NOT_LIVE = Text(
    "must be {alias}: `make deploy` moves that alias, and what calls anything else misses the new version",
    "应为 {alias}：`make deploy` 移动的是这个别名，指向别处就得不到新版本",
)
COLD = Text(
    "must be {alias}: elsewhere the instances are kept warm, and paid, for nobody",
    "应为 {alias}：写在别处，保留的实例没有请求会用到，却要付费",
)
ONE_TIMER = Text("one timer is enough; remove the others", "一个定时器就够了，请删去其余的")
SLOWER = Text(
    "{what}: checks that stay silent and publications that were cut off wait for the next request about them"
    " or the next tick, an erasure for the next `/erase`, and webhooks that failed for a tick or `manage.py"
    " webhooks --redeliver`. Write cronExpression: '@every 1m' and enable: true",
    "{what}：没有回音的审核、中断的发布，要等下一次相关的请求或定时触发；"
    "没做完的删除要等下一次 `/erase`；没送到的 webhook 通知，要等定时触发"
    "或 `manage.py webhooks --redeliver`。请写 cronExpression: '@every 1m' 和 enable: true",
)
NEEDED = Text(
    "need a timer trigger that is enabled, for {names}: a check or a clean copy that a request could not end"
    " is continued by ticks alone. Write cronExpression: '@every 1m' and enable: true",
    "里要有启用的定时触发器，因为用途 {names} 有审核或 strip：请求没做完的审核和副本，只由定时触发继续。"
    "请写 cronExpression: '@every 1m' 和 enable: true",
)
NO_TIMER = Text("no timer trigger", "没有定时触发器")
DISABLED = Text("the timer is disabled", "定时触发器停用了")
RARE = Text("the timer runs less often than every minute (`{cron}`)", "定时触发器不是每分钟触发（`{cron}`）")


def trigger_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    """Each trigger by itself, and what two of them may not share."""
    seen: dict[tuple[str, str], int] = {}
    for index, trigger in triggers_of(props):
        here: Place = (*place, "triggers", index)
        kind, qualifier = str(trigger.get("triggerType")), str(trigger.get("qualifier", "LATEST"))
        if (first := seen.setdefault((kind, qualifier), index)) != index:
            yield _doubled(kind, qualifier, first, here)
        yield from _qualifier_problems(trigger, here, NOT_LIVE)
        check = _timer_problems if kind == "timer" else _http_problems
        yield from check(mapping(trigger.get("triggerConfig")), (*here, "triggerConfig"))
    for name in ("provisionConfig", "scalingConfig"):
        if isinstance(props.get(name), dict):
            yield from _qualifier_problems(props[name], (*place, name), COLD)


def timer_problems(
    props: Mapping[str, Any], place: Place, profiles: Collection[Profile]
) -> Iterator[Problem]:
    """A timer that profiles with a check or ``strip`` need."""
    names = ", ".join(f"[{each.name}]" for each in profiles if each.is_checked or each.strip)
    configs = [trigger.get("triggerConfig") for _, trigger in triggers_of(props) if _is_timer(trigger)]
    if names and all(mapping(config).get("enable") is False for config in configs):
        yield Problem((*place, "triggers"), NEEDED.filled(names=names))


def _is_timer(trigger: Mapping[str, Any]) -> bool:
    return trigger.get("triggerType") == "timer"


def domain_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    """What the route of a domain needs, and its certificate."""
    if not isinstance(domain := props.get("customDomain"), dict):
        return
    if "HTTPS" in str(domain.get("protocol", "")) and "certConfig" not in domain:
        sentence = Text(
            "is missing; protocol HTTPS needs a certificate", "缺少；protocol 为 HTTPS 时需要证书"
        )
        yield Problem((*place, "customDomain", "certConfig"), sentence)
    route, here = mapping(domain.get("route")), (*place, "customDomain", "route")
    yield from _method_problems(route.get("methods"), (*here, "methods"))
    yield from _qualifier_problems(route, here, NOT_LIVE)


def timer_hints(props: Mapping[str, Any]) -> Iterator[Text]:
    """Say what is slower without a tick every minute."""
    timers = [trigger for _, trigger in triggers_of(props) if _is_timer(trigger)]
    if not timers:
        yield _slower(NO_TIMER)
    for config in (mapping(timer.get("triggerConfig")) for timer in timers):
        cron = str(config.get("cronExpression"))
        if config.get("enable") is False:
            yield _slower(DISABLED)
        # One that Function Compute does not take is a problem already.
        elif not EVERY_MINUTE.fullmatch(ZONE.sub("", cron)) and not [*_timer_problems(config, ())]:
            yield _slower(RARE.filled(cron=cron))


def triggers_of(props: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    triggers = props.get("triggers")
    for index, trigger in enumerate(triggers if isinstance(triggers, list) else []):
        if isinstance(trigger, dict):
            yield index, trigger


def _slower(what: Text) -> Text:
    return Text(SLOWER.say("en", what=what.en), SLOWER.say("zh", what=what.zh))


def _doubled(kind: str, qualifier: str, first: int, here: Place) -> Problem:
    if kind == "timer":
        return Problem((*here, "triggerType"), ONE_TIMER)
    sentence = Text(
        f"= {qualifier}: trigger {first} has it too; a version has one HTTP trigger",
        f"= {qualifier}：触发器 {first} 也是它；一个版本只有一个 HTTP 触发器",
    )
    return Problem((*here, "qualifier"), sentence)


def _qualifier_problems(holder: Mapping[str, Any], place: Place, why: Text) -> Iterator[Problem]:
    qualifier = holder.get("qualifier", "LATEST")
    if qualifier != ALIAS:
        yield wrong_value(qualifier, (*place, "qualifier"), why.filled(alias=ALIAS))


def _timer_problems(config: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    cron = config.get("cronExpression")
    if not isinstance(cron, str) or EVERY.fullmatch(cron):
        return
    fields = ZONE.sub("", cron, count=1).split(" ")
    here = (*place, "cronExpression")
    if len(fields) != FIELDS:
        yield wrong_value(cron, here, FIELD_COUNT.filled(count=len(fields)))
    elif not re.fullmatch(r"[0-5]?\d", fields[0]):
        yield wrong_value(cron, here, SECOND)


def _http_problems(config: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    yield from _method_problems(config.get("methods"), (*place, "methods"))
    if config.get("authType") == "function":
        yield Problem(
            (*place, "authType"),
            Text(
                "= function: a mini-program cannot sign for Function Compute; write anonymous,"
                " CALLER_AUTH decides inside",
                "= function：小程序无法为函数计算签名；请写 anonymous，由函数里的 CALLER_AUTH 把关",
            ),
        )
    if config.get("authType") == "jwt" and "authConfig" not in config:
        sentence = Text(
            "is missing; authType: jwt needs jwks and tokenLookup",
            "缺少；authType: jwt 需要 jwks 与 tokenLookup",
        )
        yield Problem((*place, "authConfig"), sentence)
    auth = mapping(config.get("authConfig"))
    if "whitelist" in auth and "blacklist" in auth:
        yield Problem((*place, "authConfig", "blacklist"), excludes("whitelist"))


def excludes(other: str) -> Text:
    return Text(f"excludes {other}; keep one of them", f"与 {other} 只能留一个")


def _method_problems(methods: Any, place: Place) -> Iterator[Problem]:
    if isinstance(methods, list) and methods:
        missing = [method for method in NEEDED_METHODS if method not in methods]
        if missing:
            names = ", ".join(missing)
            lacks = Text(f"lacks {names}, which the function answers", f"缺少函数要响应的 {names}")
            yield wrong_value(methods, place, lacks)
