"""Count fifty requests by rate and by day in a process of its own, and print how many were admitted."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from function.config.types import Rate
from function.errors import UploadError
from function.limits.quota import QuotaItem, QuotaRequest
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address

_, url, worker = sys.argv
store = RedisStore(Address(url), timedelta(hours=8), "shared", 20.0)
LIMITS = {
    "rate": ((RateLimitItem("forms", Rate(100, 3600), "ann"),), ()),
    "day": ((), (QuotaItem("p", 100, 1000, 1, 10),)),
}
for owner, limits in LIMITS.items():
    admitted = 0
    for number in range(50):
        with suppress(UploadError):
            store.count(QuotaRequest(f"{worker}-{number}", owner, *limits), datetime.now(UTC))
            admitted += 1
    sys.stdout.write(f"{admitted} ")
