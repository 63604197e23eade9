"""The checks of ``doctor`` that read: the settings and the profiles."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from function.app import load_settings
from function.auth.wechat import PUSH_SETTINGS
from function.config.profiles import PROFILES_TOML
from function.config.settings import Settings
from function.errors import Misconfigured, Problem
from ops.deploy.callers import CALLERS_TOML
from ops.deploy.costs import Spending, cost_lines
from ops.deploy.profile_lines import said_of
from ops.doctor.findings import Finding, State
from ops.terminal.language import Text

SURE_FORM_LIFE = timedelta(minutes=15)

SETTINGS = Text("Settings", "设置")
COSTS = Text("Costs", "费用")


def check_settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = load_settings(environ)
    except Misconfigured as error:
        bad = ((said_of(problem), _remedy_of(problem)) for problem in error.problems)
        return None, [Finding(SETTINGS, State.BAD, said, remedy) for said, remedy in bad]
    names = ", ".join(settings.profiles)
    said = Text(
        f"complete; CALLER_AUTH={settings.caller_auth}, profiles {names}",
        f"完整；CALLER_AUTH={settings.caller_auth}，用途：{names}",
    )
    return settings, [Finding(SETTINGS, State.GOOD, said), *_doubts(settings)]


def check_costs(settings: Settings) -> list[Finding]:
    """Return the sentences of ``check-deploy`` about what strangers and callers can cost."""
    spending = Spending(
        settings.profiles.values(),
        settings.caller_rate,
        all(entry.kind.identifies_callers for entry in settings.callers),
        (settings.quota_url or "").startswith("redis"),
    )
    return [
        Finding(COSTS, State.UNSURE if remedy else State.GOOD, said, remedy)
        for said, remedy in cost_lines(spending)
    ]


def _remedy_of(problem: Problem) -> Text:
    if known := _NEEDED.get(problem.needs):
        return known.filled(name=problem.needs)
    return _IN_THAT_FILE if problem.setting in (PROFILES_TOML, CALLERS_TOML) else _IN_ENV


def _doubts(settings: Settings) -> Iterator[Finding]:
    def doubt(words: tuple[Text, Text], **values: object) -> Finding:
        return Finding(SETTINGS, State.UNSURE, words[0].filled(**values), words[1])

    if settings.caller_auth == "anonymous":
        yield doubt(_ANYONE)
    apart = [f"[{each.name}]" for each in settings.profiles.values() if not each.key.begins_with_owner]
    if settings.erase and apart:
        yield doubt(_NOT_ERASED, names=", ".join(apart))
    anyone = [entry for entry in settings.callers if not entry.kind.identifies_callers]
    for profile in settings.profiles.values():
        if profile.expires_in > SURE_FORM_LIFE:
            yield doubt(_LONG_LIFE, name=profile.name, seconds=profile.expires_in.seconds)
        if profile.key.takes_digest and any(settings.may_use(entry, profile) for entry in anyone):
            yield doubt(_SHARED_DIGESTS, name=profile.name)
        if profile.signature_version == "v1":
            yield doubt(_V1, name=profile.name)


_IN_THAT_FILE = Text("Correct it in that file.", "请在该文件中更正。")
_IN_ENV = Text("Correct it in .env (see .env.example).", "请在 .env 中更正（参见 .env.example）。")
_PUSH = Text(
    "Set {name} in .env as the mini-program console has it (“开发管理 > 消息推送”):"
    " secure mode, JSON or XML.",
    "请在 .env 中设置 {name}，与小程序后台“开发管理 > 消息推送”一致（安全模式，JSON 或 XML）。",
)
_NEEDED = {
    "CALLBACK_URL": Text(
        "Set {name} in .env, or take callback = true out of that file.",
        "请在 .env 中设置 {name}，或从该文件中去掉 callback = true。",
    ),
    "STS_SESSION_SECONDS": Text(
        "Set it in .env, and run manage.py setup again: the role has a limit of its own.",
        "请在 .env 中设置，并再运行一次 manage.py setup：角色自己也有上限。",
    ),
    **dict.fromkeys(PUSH_SETTINGS, _PUSH),
}
# What is seen, and what to do about it.
_ANYONE = (
    Text("CALLER_AUTH=anonymous: anyone may upload", "CALLER_AUTH=anonymous：任何人都能上传"),
    Text("Use wechat or jwt outside of trials.", "正式使用请改为 wechat 或 jwt。"),
)
_NOT_ERASED = (
    Text("ERASE does not cover {names}", "ERASE 不包括 {names}"),
    Text(
        "Begin key with a folder and {owner}, or erase what these store yourself.",
        "请让 key 以一级目录和 {owner} 开头，或自行清除这些用途存的内容。",
    ),
)
_LONG_LIFE = (
    Text("[{name}] forms live {seconds} s", "[{name}] 表单有效 {seconds} 秒"),
    Text(
        "OSS's page is of two minds beyond 15 minutes; 900 or less is certain.",
        "超过 15 分钟时 OSS 文档说法不一；900 秒以内最稳妥。",
    ),
)
_SHARED_DIGESTS = (
    Text(
        "[{name}] names bytes by their digest, and all callers share one folder",
        "[{name}] 按摘要命名，而所有调用者共用一个目录",
    ),
    Text(
        "Whoever lies about a digest puts other bytes in everybody's place: use wechat or jwt.",
        "谎报摘要的人会让大家拿到别的内容：请改用 wechat 或 jwt。",
    ),
)
_V1 = (
    Text("[{name}] is signed with V1", "[{name}] 使用 V1 签名"),
    Text("Buckets of 2025 and later may refuse it.", "2025 年及以后新建的桶可能拒绝。"),
)
