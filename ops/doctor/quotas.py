"""
The check of ``doctor`` that asks the Redis of the quotas: how long it takes, and what happens without it.
"""

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from function.config.settings import Settings
from function.limits.quota import QuotaRequest, StoreDown
from function.limits.redis import BUDGET_SECONDS, RedisStore
from function.limits.redis_connection import Address, import_library
from ops.doctor.findings import Finding, State, joined
from ops.terminal.language import Text

QUOTAS = Text("Quotas", "配额")
ROUNDS = 5
# Longer than the function's budget: what is measured here is the way from this machine.
PATIENCE_SECONDS = 3.0
# Where nothing answers; of what answers with a refusal the reason is the same everywhere.
NOT_REACHED = frozenset(
    "ConnectionRefusedError ConnectionResetError TimeoutError gaierror OSError ConnectionError".split()
    + ["timed out"]
)
FROM_INSIDE = Text(
    "A Redis in a VPC answers there alone: then look for quota in the log of the function. Else check"
    " QUOTA_URL, the security group and the allow-list (docs/quotas.md).",
    "VPC 里的 Redis 只在 VPC 内响应：那就到函数日志里看 quota。否则请检查 QUOTA_URL、安全组与白名单"
    "（docs/quotas.zh-CN.md）。",
)
AS_IT_SAYS = Text(
    "Correct the password, the account's rights or the instance (docs/quotas.md says what is needed).",
    "请更正密码、账号权限或实例（docs/quotas.zh-CN.md 写明需要什么）。",
)
SLOW = Text(
    f"The function waits {BUDGET_SECONDS * 1000:.0f} ms at most: put both into one region and zone.",
    f"函数最多等 {BUDGET_SECONDS * 1000:.0f} 毫秒：请把两者放在同一地域、同一可用区。",
)


def check_quotas(settings: Settings) -> Iterator[Finding]:
    """Count nothing a few times, as the function would; nothing to say where counts stay in the instance."""
    if settings.quota_url is None or settings.quota_url == "memory:":
        return
    store = RedisStore(
        Address(settings.quota_url), settings.quota_utc_offset, settings.bucket, PATIENCE_SECONDS
    )
    without = what_happens_without(settings)
    import_library()
    try:
        connecting, *rounds = [_milliseconds(store) for _ in range(ROUNDS + 1)]
    except StoreDown as down:
        said = joined(Text(f"no answer ({down.kind}).", f"没有响应（{down.kind}）。"), without)
        if down.kind in NOT_REACHED:
            yield Finding(QUOTAS, State.UNSURE, said, FROM_INSIDE)
        else:
            yield Finding(QUOTAS, State.BAD, said, AS_IT_SAYS)
        return
    taken = median(rounds)
    said = joined(
        Text(
            f"Redis counts in {taken:.1f} ms from here (connecting: {connecting:.0f} ms).",
            f"从这里到 Redis 计数一次 {taken:.1f} 毫秒（建立连接 {connecting:.0f} 毫秒）。",
        ),
        without,
    )
    is_slow = max(taken, connecting) > BUDGET_SECONDS * 1000 / 2
    yield Finding(QUOTAS, State.UNSURE if is_slow else State.GOOD, said, SLOW if is_slow else None)


def what_happens_without(settings: Settings) -> Text:
    """Return the effect of ``QUOTA_WHEN_DOWN`` if the store were down now."""
    names = ", ".join(f"[{profile.name}]" for profile in settings.profiles.values() if profile.has_quota)
    if not names:
        return Text(
            "Without it the rates count within each instance; no profile has a quota",
            "没有它时，限流在各实例内计数；没有用途设置配额",
        )
    if settings.quota_when_down == "deny":
        return Text(f"Without it {names} would give no forms (deny)", f"没有它时 {names} 不发表单（deny）")
    return Text(
        f"Without it {names} would give forms uncounted (allow)", f"没有它时 {names} 发表单但不计数（allow）"
    )


def _milliseconds(store: RedisStore) -> float:
    started = time.perf_counter()
    store.count(QuotaRequest(secrets.token_urlsafe(16), "doctor", (), ()), datetime.now(UTC))
    return (time.perf_counter() - started) * 1000
