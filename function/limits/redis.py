"""The counts of all instances, in one Redis: one round trip a request, and a budget for it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from function.errors import BadRequest, TooManyRequests
from function.limits.quota import Day, QuotaRequest, StoreDown, exceeded, standing
from function.limits.redis_connection import Address, Broken, Wire, connect
from function.limits.script import COUNT, DAY_IS_FULL, GIVE_BACK, KEPT_SECONDS, RATE_IS_USED

# For resolving, connecting, logging in, asking and reading together.
BUDGET_SECONDS = 0.3
# What rests longer may have been forgotten by whatever stands between, which a frozen instance is not told.
REST = timedelta(seconds=60)
MAX_RESTING = 32
DAY_SECONDS = 86_400
NOT_LIMITED = -1


class RedisStore:
    """
    What ``MemoryStore`` does, for every instance that names the same Redis and the same ``bucket``.

    The clock of Redis decides which day it is. A request whose connection broke is repeated once, on a new
    one: whether it was counted before or not, it is counted once.
    """

    def __init__(
        self, address: Address, utc_offset: timedelta, bucket: str, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        self._address = address
        self._offset = utc_offset
        self._bucket = bucket
        self._budget_seconds = budget_seconds
        self._resting: list[tuple[Wire, datetime]] = []

    def take(self, asked: QuotaRequest, now: datetime) -> list[Day]:
        """
        Raises:
            BadRequest, TooManyRequests, QuotaExceeded: nothing was counted.

            StoreDown: whether it was counted is not known.
        """
        for claim in asked.rates:
            if claim.items > claim.rate.limit:
                raise BadRequest(f"files or items must be {claim.rate.limit} at most here.")
        verdict, location, wait, clock, *days = self._counted(asked, now)
        standings = [
            standing(wanted, files, bytes_, self._end_of(day))
            for wanted, (day, files, bytes_) in zip(asked.days, _in_threes(days), strict=True)
        ]
        if verdict == DAY_IS_FULL:
            raise exceeded(
                asked.days[location - 1], standings[location - 1], datetime.fromtimestamp(clock, UTC)
            )
        if verdict == RATE_IS_USED:
            limit, seconds = asked.rates[location - 1].rate
            raise TooManyRequests(
                f"At most {limit} per {seconds} s are allowed here.", retry_after=max(1, -(-wait // 1000))
            )
        return standings

    def give_back(self, asked: QuotaRequest, now: datetime) -> None:
        """
        Raises:
            StoreDown: whether it was given back is not known; to do it again does no harm.
        """
        amounts = [amount for wanted in asked.days for amount in (wanted.files, wanted.bytes_)]
        self._run(GIVE_BACK, [self._request(asked), *self._days(asked)], amounts, now)

    def open(self, now: datetime) -> None:
        """
        Have a connection ready before the first request.

        Raises:
            StoreDown: there is none to be had.
        """
        self._rest(connect(self._address, time.monotonic() + self._budget_seconds), now)

    def _counted(self, asked: QuotaRequest, now: datetime) -> list[int]:
        answer = self._run(COUNT, *self._to_count(asked), now)
        if not isinstance(answer, list) or len(answer) != 4 + 3 * len(asked.days):
            raise StoreDown("answer of another shape")
        return [int(number) for number in answer]

    def _run(self, script: str, keys: list[str], arguments: list[int], now: datetime) -> Any:
        until = time.monotonic() + self._budget_seconds
        wire = self._rested(now)
        if wire:
            try:
                return self._run_on(wire, script, keys, arguments, until, now)
            except Broken:
                pass
        return self._run_on(connect(self._address, until), script, keys, arguments, until, now)

    def _run_on(
        self, wire: Wire, script: str, keys: list[str], arguments: list[int], until: float, now: datetime
    ) -> Any:
        answer = wire.run(script, keys, arguments, until)
        self._rest(wire, now)
        return answer

    def _rested(self, now: datetime) -> Wire | None:
        """The connection that rested least, if any is fresh enough."""
        while True:
            try:
                wire, since = self._resting.pop()
            except IndexError:
                return None
            if now - since < REST:
                return wire
            wire.close()

    def _rest(self, wire: Wire, now: datetime) -> None:
        if len(self._resting) < MAX_RESTING:
            self._resting.append((wire, now))
        else:
            wire.close()

    def _to_count(self, asked: QuotaRequest) -> tuple[list[str], list[int]]:
        rates = [
            self._key(asked, f"rate:{limit}/{rate.seconds}:{who}") for limit, rate, who, _ in asked.rates
        ]
        arguments = [int(self._offset.total_seconds()), KEPT_SECONDS, len(rates)]
        for _, rate, _, items in asked.rates:
            arguments += [rate.limit, rate.seconds * 1000, items]
        for wanted in asked.days:
            most = (wanted.most_files or NOT_LIMITED, wanted.most_bytes or NOT_LIMITED)
            arguments += [*most, wanted.files, wanted.bytes_]
        return [self._request(asked), *rates, *self._days(asked)], arguments

    def _request(self, asked: QuotaRequest) -> str:
        return self._key(asked, f"request:{asked.request_id}")

    def _days(self, asked: QuotaRequest) -> list[str]:
        return [self._key(asked, f"day:{wanted.profile}") for wanted in asked.days]

    def _key(self, asked: QuotaRequest, name: str) -> str:
        """Between the braces is what decides the slot in a cluster, where all of one request must lie."""
        return f"oss-direct-upload:{{{self._bucket}/{asked.owner}}}:{name}"

    def _end_of(self, day: int) -> datetime:
        return datetime.fromtimestamp((day + 1) * DAY_SECONDS, UTC) - self._offset


def _in_threes(numbers: list[int]) -> list[tuple[int, ...]]:
    return [tuple(numbers[location : location + 3]) for location in range(0, len(numbers), 3)]
