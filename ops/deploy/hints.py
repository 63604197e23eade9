"""What is worth knowing about a deployment that has no problem."""

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from function.config.profile import Profile
from function.config.profiles import PROFILES_TOML
from local.oss.image_steps import IMAGE_STEPS, NOT_DONE
from ops.deploy.costs import cost_hints
from ops.deploy.profile_lines import after, profiles_in
from ops.deploy.rules import EVERY_MINUTE, timer_schedules
from ops.deploy.s_yaml import environment, functions, mapping
from ops.deploy.setting_rules import doubtful_settings
from ops.terminal.language import Text

PROCESSES = ("image", "video", "style", "audio", "doc", "hls")
LEFT_OPEN = Text(
    "the *.fcapp.run address stays open beside customDomain, past what guards that domain: set"
    " CLOSE_TEST_ADDRESS=true (disableURLInternet)",
    "除 customDomain 外，*.fcapp.run 的地址仍然开放，绕过该域名上的防护："
    "请设置 CLOSE_TEST_ADDRESS=true（disableURLInternet）",
)
LABELS_GO = Text(
    "strip removes labels of AI-made content, too; ai_label keeps them",
    "strip 也会去掉 AI 生成合成内容标识；写 ai_label 可以保留",
)
HOLD_DAYS = Text(
    "days to decide what is held back (hold_days): {days}; what is undecided then ends, and the business gets"
    " the event `expired`",
    "暂存的对象要在几天（hold_days）内决定：{days}；到期没有决定的就此作废，业务后端收到 `expired` 事件",
)
BY_ALIYUN = Text(
    "checked by Content Moderation, which is activated once in its console and billed for each picture;"
    " `manage.py doctor --content-check` says whether it answers",
    "由阿里云内容安全审核，先在控制台开通，按张计费；能不能用由 `manage.py doctor --content-check` 检查",
)
BY_WECHAT = Text(
    "WeChat's verdict is wanted, so its console must push to https://YOUR-DOMAIN/wechat-events, of several"
    " callers to /wechat-events/APPID (“开发管理 > 消息推送”, secure mode)",
    "要等微信的审核结果，小程序后台“开发管理 > 消息推送”应填 https://你的域名/wechat-events，"
    "多个调用者时各填 /wechat-events/APPID（安全模式）",
)
UNWRITTEN_CODE = Text(
    "AI_LABEL_CODE is written by no profile: that takes strip and ai_label (docs/ai-labels.md)",
    "没有用途会写入 AI_LABEL_CODE：要同时有 strip 和 ai_label（docs/ai-labels.zh-CN.md）",
)
ERASE_ON = Text(
    "ERASE_ON = {events}: WeChat's console must push to https://YOUR-DOMAIN/wechat-events"
    " (“开发管理 > 消息推送”, secure mode), and only the timer erases what such an event began",
    "ERASE_ON = {events}：小程序后台“开发管理 > 消息推送”应填 https://你的域名/wechat-events"
    "（安全模式），由事件开始的删除只靠定时触发器完成",
)
SLOWER = Text(
    "no timer runs every minute: checks that stay silent and publications that were cut off wait for the next"
    " request about them or the next tick, an erasure for the next `/erase`, and webhooks that failed for a"
    " tick or `manage.py webhooks --redeliver`. Write cronExpression: '@every 1m' and enable: true",
    "没有每分钟触发的定时触发器：没有回音的审核、中断的发布，要等下一次相关的请求或定时触发；"
    "没做完的删除要等下一次 `/erase`；没送到的 webhook 通知，要等定时触发"
    "或 `manage.py webhooks --redeliver`。请写 cronExpression: '@every 1m' 和 enable: true",
)


OF_PROFILES: tuple[tuple[Callable[[Profile], bool], Text], ...] = (
    (lambda each: each.is_checked_by_aliyun, BY_ALIYUN),
    (lambda each: each.is_checked_by_wechat, BY_WECHAT),
    (lambda each: each.strip and not each.ai_label, LABELS_GO),
)


def profile_hints(profiles: Collection[Profile]) -> Iterator[Text]:
    """What profiles need of people and of WeChat: nobody sees it from here."""
    if days := ", ".join(f"[{each.name}] {each.hold_days}" for each in profiles if each.is_held):
        yield HOLD_DAYS.filled(days=days)
    for is_one, said in OF_PROFILES:
        if names := ", ".join(f"[{each.name}]" for each in profiles if is_one(each)):
            yield after(names, said)
    for profile in profiles:
        for variant, process in profile.variants.items():
            yield from _process_hints(f"[{profile.name}] variants.{variant} = {process}", process)


def _process_hints(place: str, process: str) -> Iterator[Text]:
    """A sentence about a misspelt processing command, which OSS refuses only when somebody reads."""
    kind, _, steps = process.partition("/")
    if kind not in PROCESSES:
        yield Text(
            f"{place}: begins with none of {', '.join(PROCESSES)}",
            f"{place}：开头应为 {'、'.join(PROCESSES)}",
        )
    for step in steps.split("/") if kind == "image" else ():
        name, known = step.partition(",")[0], {*IMAGE_STEPS, *NOT_DONE}
        if name not in known:
            meant = ", ".join(get_close_matches(name, known, n=1)) or ", ".join(sorted(IMAGE_STEPS))
            yield Text(
                f"{place}: OSS has no {name}; {meant}?",
                f"{place}：OSS 没有 {name} 这种处理，是不是 {meant}？",
            )


def _rotation_hints(variables: Mapping[str, str], profiles: Collection[Profile]) -> Iterator[Text]:
    """How long an old secret must stay: what it vouches for may be held, or sent in parts, so long."""
    receipts = "RECEIPT_SECRET" if variables.get("RECEIPT_SECRET") else "TOKEN_SECRET"
    for name in ("TOKEN_SECRET", "RECEIPT_SECRET"):
        if "," not in variables.get(name, ""):
            continue
        held = [each.hold_days for each in profiles if each.is_held and name == receipts]
        # Only TOKEN_SECRET signs tickets.
        parts = [each.parts_within.days for each in profiles if each.parts and name == "TOKEN_SECRET"]
        days = max([0, *held, *parts]) + 2
        yield Text(
            f"{name} lists an old secret: take it out {days} days after the new one was deployed, not before",
            f"{name} 里有旧密钥：新密钥部署 {days} 天之后再去掉，不要提前",
        )


def deployment_hints(root: Path, document: Any) -> Iterator[Text]:
    profiles = profiles_in(root / PROFILES_TOML)
    for _, props in functions(document):
        triggers = [mapping(each) for each in props.get("triggers") or ()]
        if "customDomain" in props and not all(map(_is_closed, triggers)):
            yield LEFT_OPEN
        if not any(map(EVERY_MINUTE.fullmatch, timer_schedules(props))):
            yield SLOWER
        variables = environment(props)
        yield from doubtful_settings(variables)
        if variables.get("AI_LABEL_CODE") and not any(each.strip and each.ai_label for each in profiles):
            yield UNWRITTEN_CODE
        if events := variables.get("ERASE_ON"):
            yield ERASE_ON.filled(events=events)
        yield from _rotation_hints(variables, profiles)
        yield from cost_hints(variables, profiles)
    yield from profile_hints(profiles)


def _is_closed(trigger: Mapping[str, Any]) -> bool:
    is_off = mapping(trigger.get("triggerConfig")).get("disableURLInternet") is True
    return trigger.get("triggerType") != "http" or is_off
