"""
Costs that strangers and callers can cause with these options: three sentences, worked out offline.

``check-deploy`` and ``doctor`` show the same ones; docs/costs.md explains them.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from function.config.profile import Profile
from function.config.setting_table import SETTINGS
from function.config.types import RATE, Rate
from ops.terminal.language import Text

DAY_SECONDS, GB = 86_400, 10**9
# At 1 Gbps.
GB_AN_HOUR = 450
DETECTOR = "aigcDetector_ultra"
(DEFAULT_RATE,) = (row.default for row in SETTINGS if row.name == "CALLER_RATE")

NOTHING = Text("", "")
CALLER, ADDRESS = Text("one caller", "一个调用者"), Text("one IP address", "一个 IP ")
CHECKED = Text("{cny} CNY for {pictures} checked pictures", "审核 {pictures} 张图片 {cny} 元")
STORED = Text("{cny} CNY for each month that {gb} GB stay", "存下 {gb} GB，每留一个月 {cny} 元")
READ = Text("{cny} CNY by reading, which no option caps", "读取 {cny} 元，没有选项能封顶")
EACH = Text(
    "; times the instances, for each counts by itself without a Redis in QUOTA_URL",
    "；QUOTA_URL 不是 Redis 时每个实例各算各的，要乘以实例数",
)
NOT_PUBLIC = Text(
    "no folder is public, as long as the bucket itself is private", "没有公开的目录，前提是桶本身是私有的"
)
PUBLIC = Text(
    "anybody reads {folders} ({reason}): up to {cny} CNY an hour at 1 Gbps (price of {read})",
    "任何人都能读 {folders}（{reason}）：1 Gbps 每小时最多 {cny} 元（{read} 的价格）",
)
KEEP_PRIVATE = Text(
    'Keep objects private (read = "owner" or "callers", callers who are told apart), or put a CDN with a'
    " usage cap before a private bucket (docs/costs.md).",
    '对象设为私有（read = "owner" 或 "callers"，调用者要有身份），或在私有桶前面放 CDN，'
    "并设用量封顶（docs/costs.zh-CN.md）。",
)
NO_CHECKER = Text("no checker is asked", "没有使用审核")
CHECKS = Text("checks of one caller a day: {profiles}", "一个调用者每天的审核次数：{profiles}")
CHECKS_OPEN = Text(
    "a checker can be asked without a shared quota: {profiles}; Content Moderation bills each picture,"
    " WeChat has 200,000 checks a day for all users of the AppID",
    "这些用途的审核没有所有实例共用的配额：{profiles}；阿里云内容安全按张计费，"
    "微信每天 200,000 次由整个 AppID 共用",
)
A_DAY = Text(
    "{who} can add in a day: {clauses} (at 1 Gbps, prices of {months}){more}",
    "{who}一天最多能花：{clauses}（按 1 Gbps 和 {months} 的价格）{more}",
)
SET_A_QUOTA = Text(
    "Set QUOTA_URL to a Redis and files_per_day in these profiles (docs/quotas.md).",
    "请把 QUOTA_URL 设为一个 Redis，并在这些用途里写 files_per_day（docs/quotas.zh-CN.md）。",
)
# One sentence, and what to do where something is open.
CostLine = tuple[Text, Text | None]


class Spending(NamedTuple):
    """
    Args:
        rate: forms of one caller.
        tells_callers_apart: False where a caller is a client IP.
        counts_together: True if rates and quotas hold across instances.
    """

    profiles: Collection[Profile]
    rate: Rate
    tells_callers_apart: bool
    counts_together: bool

    @property
    def forms_a_day(self) -> int:
        return self.rate.limit * DAY_SECONDS // self.rate.seconds

    def files(self, profile: Profile) -> int:
        """Return how many files of a profile one caller may send in a day."""
        least, quota = max(1, profile.min_size_bytes), profile.bytes_per_day
        by_bytes = self.forms_a_day if quota is None else quota // least
        most = self.forms_a_day if profile.files_per_day is None else profile.files_per_day
        return min(self.forms_a_day, most, by_bytes)

    def most(self, days: Iterable[tuple[float, float]]) -> float:
        """Return the most of a day: what every profile may, or all forms for the one that yields most."""
        rows = [*days]
        dearest = max((each for _, each in rows), default=0.0)
        return min(self.forms_a_day * dearest, sum(files * each for files, each in rows))

    def is_bounded(self, profile: Profile) -> bool:
        """Return whether a quota that all instances share bounds the files of a profile."""
        return self.counts_together and self.files(profile) < self.forms_a_day


@cache
def prices() -> dict[str, dict[str, float | str]]:
    return tomllib.loads(Path(__file__).with_name("prices.toml").read_text("utf-8"))


def price(name: str) -> float:
    return float(prices()[name]["cny"])


def cost_hints(variables: Mapping[str, str], profiles: Collection[Profile]) -> Iterator[Text]:
    """The sentences of a deployment with these settings, each with its remedy."""
    try:
        rate = RATE.read(variables.get("CALLER_RATE") or DEFAULT_RATE)
    except ValueError:
        return
    tells_apart = variables.get("CALLER_AUTH") != "anonymous"
    counts_together = variables.get("QUOTA_URL", "").startswith("redis")
    for said, remedy in cost_lines(Spending(profiles, rate, tells_apart, counts_together)):
        cure = remedy or NOTHING
        yield Text(f"costs: {said.en}. {cure.en}".rstrip(". "), f"费用：{said.zh}。{cure.zh}".rstrip("。"))


def cost_lines(spending: Spending) -> Iterator[CostLine]:
    if spending.profiles:
        yield _public(spending)
        yield _checks(spending)
        yield _a_day(spending)


def day_of_checks(spending: Spending) -> tuple[int, float]:
    """Return how many pictures one caller has Content Moderation look at in a day, and for how much."""
    asked = [profile for profile in spending.profiles if profile.is_checked_by_aliyun]
    days = [(spending.files(one), price(_checks_price(one)) / 10_000) for one in asked]
    return int(spending.most((files, 1) for files, _ in days)), spending.most(days)


def day_of_storage(spending: Spending) -> float:
    """Return how many GB one caller stores in a day, at most at 1 Gbps."""
    days = []
    for one in spending.profiles:
        quota = one.bytes_per_day or spending.forms_a_day * one.max_size_bytes
        days.append((min(spending.files(one), quota / one.max_size_bytes), one.max_size_bytes))
    return min(spending.most(days) / GB, 24 * GB_AN_HOUR)


def _checks_price(profile: Profile) -> str:
    return "pictures_by_detector" if profile.check_service.startswith(DETECTOR) else "pictures"


def _public(spending: Spending) -> CostLine:
    public = [one for one in spending.profiles if one.acl == "public-read"]
    is_open = not spending.tells_callers_apart
    given = [one for one in spending.profiles if is_open and one.read and one not in public]
    if not public and not given:
        return NOT_PUBLIC, None
    values = {
        "folders": ", ".join(f"{one.key.literal_folder} [{one.name}]" for one in (*public, *given)),
        "reason": 'acl = "public-read"' if public else "CALLER_AUTH=anonymous",
        "cny": f"{GB_AN_HOUR * price('egress_by_day'):,.2f}",
        "read": prices()["egress_by_day"]["read"],
    }
    return PUBLIC.filled(**values), KEEP_PRIVATE


def _checks(spending: Spending) -> CostLine:
    checked = [one for one in spending.profiles if one.is_checked]
    if not checked:
        return NO_CHECKER, None
    if open_ := [one for one in checked if not spending.is_bounded(one)]:
        listed = ", ".join(f"[{one.name}] ({', '.join(one.check_by)})" for one in open_)
        return CHECKS_OPEN.filled(profiles=listed), SET_A_QUOTA
    listed = ", ".join(f"[{one.name}] {spending.files(one):,}" for one in checked)
    return CHECKS.filled(profiles=listed), None


def _a_day(spending: Spending) -> CostLine:
    (pictures, checks), stored = day_of_checks(spending), day_of_storage(spending)
    used, said = ["storage"], []
    if pictures:
        used += [_checks_price(one) for one in spending.profiles if one.is_checked_by_aliyun]
        said.append(CHECKED.filled(cny=f"{checks:,.2f}", pictures=f"{pictures:,}"))
    said.append(STORED.filled(cny=f"{stored * price('storage'):,.2f}", gb=f"{stored:,.1f}"))
    if any(one.read or one.acl == "public-read" for one in spending.profiles):
        used.append("egress_by_day")
        reading = GB_AN_HOUR * (16 * price("egress_by_day") + 8 * price("egress_by_night"))
        said.append(READ.filled(cny=f"{reading:,.2f}"))
    months = ", ".join(sorted({str(prices()[name]["read"]) for name in used}))
    who = CALLER if spending.tells_callers_apart else ADDRESS
    more = NOTHING if spending.counts_together else EACH
    clauses = Text("; ".join(one.en for one in said), "；".join(one.zh for one in said))
    return A_DAY.filled(who=who, clauses=clauses, months=months, more=more), None
