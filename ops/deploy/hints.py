"""What is worth knowing about a deployment that has no problem."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from function.config.profile import NOWHERE, Profile
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
SLOWER = Text(
    "no timer runs every minute: checks that stay silent and publications that were cut off wait for the next"
    " request about them or the next tick, an erasure for the next `/erase`, and webhooks that failed for a"
    " tick or `manage.py webhooks --redeliver`. Write cronExpression: '@every 1m' and enable: true",
    "没有每分钟触发的定时触发器：没有回音的审核、中断的发布，要等下一次相关的请求或定时触发；"
    "没做完的删除要等下一次 `/erase`；没送到的 webhook 通知，要等定时触发"
    "或 `manage.py webhooks --redeliver`。请写 cronExpression: '@every 1m' 和 enable: true",
)


def profile_hints(profiles: Collection[Profile]) -> Iterator[Text]:
    """What profiles need of the account and of WeChat, beside OSS_BUCKET: nobody sees it from here."""
    yield from _bucket_hints(profiles)
    yield from _held_hints(profiles)
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


def _named(profiles: Collection[Profile]) -> str:
    return ", ".join(f"[{profile.name}]" for profile in profiles)


def _bucket_hints(profiles: Collection[Profile]) -> Iterator[Text]:
    if elsewhere := [profile for profile in profiles if profile.location != NOWHERE]:
        names = _named(elsewhere)
        yield Text(
            f"{names}: with a bucket, host or role of its own, so `manage.py setup` makes what is missing of"
            " them, the mini-program's console must list their hosts, and `manage.py doctor` examines each",
            f"{names} 有自己的桶、host 或角色：缺什么由 `manage.py setup` 补上，"
            "小程序后台的合法域名要写上它们的 host，`manage.py doctor` 会逐个检查",
        )


def _held_hints(profiles: Collection[Profile]) -> Iterator[Text]:
    if held := [profile for profile in profiles if profile.is_held]:
        names = _named(held)
        yield Text(
            f"{names}: held back, so the role's rights and the lifecycle rules below held/ come from"
            " `manage.py setup`, and `manage.py doctor` says whether they are there",
            f"{names} 会暂存：角色的权限和 held/ 之下的生命周期规则由 `manage.py setup` 写入，"
            "在不在由 `manage.py doctor` 检查",
        )
        days = [(f"[{profile.name}]", profile.hold_days) for profile in held]
        english = ", ".join(f"{name} {count} day{'s' * (count > 1)}" for name, count in days)
        chinese = "，".join(f"{name} {count} 天" for name, count in days)
        yield Text(
            f"time to decide what is held back (hold_days): {english}; what is undecided then ends, and the"
            " business gets the event `expired`",
            f"暂存的对象要在期限（hold_days）内决定：{chinese}；到期没有决定的就此作废，"
            "业务后端收到 `expired` 事件",
        )
    if asked := [profile for profile in held if profile.is_checked_by_aliyun]:
        names = _named(asked)
        yield Text(
            f"{names}: checked by Content Moderation, which is activated once in its console and billed"
            " for each picture; the right of the function's role comes from `manage.py setup`, and"
            " `manage.py doctor --content-check` says whether it answers",
            f"{names} 由阿里云内容安全审核：先在控制台开通，按张计费；"
            "函数角色的权限由 `manage.py setup` 写入，能不能用由 `manage.py doctor --content-check` 检查",
        )
    if checked := [profile for profile in held if profile.is_checked_by_wechat]:
        names = _named(checked)
        yield Text(
            f"{names}: WeChat's verdict is wanted, so its console must push to https://YOUR-DOMAIN/wechat-events,"
            " of several callers to /wechat-events/APPID (“开发管理 > 消息推送”, secure mode)",
            f"{names} 要等微信的审核结果：小程序后台“开发管理 > 消息推送”应填 https://你的域名/wechat-events，"
            "多个调用者时各填 /wechat-events/APPID（安全模式）",
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


def _label_hints(variables: Mapping[str, str], profiles: Collection[Profile]) -> Iterator[Text]:
    keep = [profile for profile in profiles if profile.strip and profile.ai_label]
    if variables.get("AI_LABEL_CODE") and not keep:
        yield Text(
            "AI_LABEL_CODE is written by no profile: that takes strip and ai_label (docs/ai-labels.md)",
            "没有用途会写入 AI_LABEL_CODE：要同时有 strip 和 ai_label（docs/ai-labels.zh-CN.md）",
        )
    if lost := [each for each in profiles if each.strip and not each.ai_label]:
        yield after(_named(lost), LABELS_GO)


def _erasing_hints(variables: Mapping[str, str]) -> Iterator[Text]:
    if variables.get("ERASE") == "true":
        yield Text(
            "ERASE = true: the rights to erase come from `manage.py setup`, run once more with ERASE in the"
            " environment",
            "ERASE = true：删除所需的权限由 `manage.py setup` 写入，请带着 ERASE 再运行一次",
        )
    if events := variables.get("ERASE_ON"):
        yield Text(
            f"ERASE_ON = {events}: WeChat's console must push to https://YOUR-DOMAIN/wechat-events"
            " (“开发管理 > 消息推送”, secure mode), and only the timer erases what such an event began",
            f"ERASE_ON = {events}：小程序后台“开发管理 > 消息推送”应填 https://你的域名/wechat-events"
            "（安全模式），由事件开始的删除只靠定时触发器完成",
        )


def deployment_hints(file: Path, document: Any) -> Iterator[Text]:
    profiles = profiles_in(file.with_name(PROFILES_TOML))
    for _, props in functions(document):
        triggers = [mapping(each) for each in props.get("triggers") or ()]
        if "customDomain" in props and not all(map(_is_closed, triggers)):
            yield LEFT_OPEN
        if not any(map(EVERY_MINUTE.fullmatch, timer_schedules(props))):
            yield SLOWER
        variables = environment(props)
        yield from doubtful_settings(variables)
        yield from _erasing_hints(variables)
        yield from _rotation_hints(variables, profiles)
        yield from _label_hints(variables, profiles)
        yield from cost_hints(variables, profiles)
    yield from profile_hints(profiles)


def _is_closed(trigger: Mapping[str, Any]) -> bool:
    is_off = mapping(trigger.get("triggerConfig")).get("disableURLInternet") is True
    return trigger.get("triggerType") != "http" or is_off
