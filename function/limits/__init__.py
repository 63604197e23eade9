"""Rate limits and daily quotas behind one limiter; ``QUOTA_URL`` names the storage of the shared counts."""

from collections.abc import Callable

from function.annotations import TYPE_CHECKING
from function.config.settings import Settings
from function.errors import Misconfigured, Problem
from function.limits.rate_limit import RateLimiter
from function.messages import Message

if TYPE_CHECKING:
    from function.limits.quota import Store

MEMORY = "memory:"


def new_limiter(settings: Settings, new_id: Callable[[], str]) -> RateLimiter:
    """Return the limiter of an instance; without ``QUOTA_URL`` nothing of quotas is imported."""
    url = settings.quota_url
    if not url:
        return RateLimiter()
    from function.limits.quota import QuotaLimiter

    return QuotaLimiter(lambda: _new_store(settings, url), settings.quota_when_down == "deny", new_id)


def _new_store(settings: Settings, url: str) -> "Store":
    """Return the store of this address, not connected yet."""
    if url == MEMORY:
        from function.limits.memory import MemoryStore

        return MemoryStore(settings.quota_utc_offset)
    from function.limits.redis import RedisStore
    from function.limits.redis_connection import Address, import_library

    try:
        import_library()
    except ImportError:
        sentence = Message(
            "QUOTA_URL names Redis, whose library is not in this package: make package reads it from .env"
        )
        raise Misconfigured([Problem("QUOTA_URL", sentence)]) from None
    return RedisStore(Address(url), settings.quota_utc_offset, settings.bucket)
