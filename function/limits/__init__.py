"""Rate limits and daily quotas behind one limiter; ``QUOTA_URL`` names the storage of the shared counts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from function.config.settings import Settings
from function.limits.rate_limit import RateLimiter

if TYPE_CHECKING:
    from function.limits.quota import Store

MEMORY = "memory:"


def new_limiter(settings: Settings, new_id: Callable[[], str]) -> RateLimiter:
    """Return the limiter of an instance; without ``QUOTA_URL`` nothing of quotas is imported."""
    if not settings.quota_url:
        return RateLimiter()
    from function.limits.quota import QuotaLimiter

    return QuotaLimiter(lambda: _new_store(settings), settings.quota_when_down == "deny", new_id)


def _new_store(settings: Settings) -> "Store":
    if settings.quota_url == MEMORY:
        from function.limits.memory import MemoryStore

        return MemoryStore(settings.quota_utc_offset)
    from function.limits.redis import redis_store

    return redis_store(settings)
