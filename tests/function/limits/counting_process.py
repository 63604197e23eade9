"""Count fifty requests in a process of its own, and print how many were admitted."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from function.config.types import Rate
from function.errors import UploadError
from function.limits.quota import QuotaItem, QuotaRequest
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address

_, url, worker, what = sys.argv
store = RedisStore(Address(url), timedelta(hours=8), "shared", 20.0)
admitted = 0
rates = (RateLimitItem("forms", Rate(100, 3600), "ann"),) if what == "rate" else ()
days = (QuotaItem("p", 100, 1000, 1, 10),) if what == "day" else ()
for number in range(50):
    with suppress(UploadError):
        store.count(QuotaRequest(f"{worker}-{number}", what, rates, days), datetime.now(UTC))
        admitted += 1
sys.stdout.write(str(admitted))
