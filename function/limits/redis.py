"""The counts of all instances, in one Redis: one round trip a request, and a budget for it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from function.errors import BadRequest, TooManyRequests
from function.limits.quota import Day, QuotaRequest, StoreDown, exceeded, standing
from function.limits.redis_connection import Address, Broken, Wire, connect

KEPT_SECONDS = 60
# What became of it; 0 says that it was counted.
DAY_IS_FULL, RATE_IS_USED = 1, 2

# KEYS: the request's, those of rates, those of days. ARGV: seconds east of UTC, seconds that a request is
# remembered, how many rates; of each rate limit, milliseconds, items; of each day most files and bytes
# (-1: not limited), files and bytes wanted. Returns: what became of it, the place of what refused it,
# milliseconds to wait, the store's clock in seconds; of each day its number, files and bytes.
COUNT = """
local now = tonumber(redis.call('TIME')[1])
local offset, kept, rates = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local answer = {0, 0, 0, now}
local days, is_new, fits = {}, {}, true
local seen = redis.call('GET', KEYS[1]) ~= false

local function argument_of_day(place, which)
  return ARGV[3 + 3 * rates + 4 * (place - 1) + which]
end

for place = 1, #KEYS - 1 - rates do
  local held = redis.call('HMGET', KEYS[1 + rates + place], 'day', 'files', 'bytes')
  local today = math.floor((now + offset) / 86400)
  local day, files, bytes = tonumber(held[1]), tonumber(held[2]), tonumber(held[3])
  is_new[place] = day ~= today and day ~= today + 1
  if is_new[place] then day, files, bytes = today, 0, 0 end
  days[place] = day
  answer[2 + 3 * place], answer[3 + 3 * place], answer[4 + 3 * place] = day, files, bytes
  local most_files, most_bytes = tonumber(argument_of_day(place, 1)), tonumber(argument_of_day(place, 2))
  local is_full = (most_files >= 0 and files + tonumber(argument_of_day(place, 3)) > most_files)
    or (most_bytes >= 0 and bytes + tonumber(argument_of_day(place, 4)) > most_bytes)
  if is_full and fits then
    fits = false
    answer[1], answer[2] = 1, place
  end
end
if seen then
  answer[1] = 0
  return answer
end
if not fits then return answer end

local opens = {}
for place = 1, rates do
  local left = redis.call('PTTL', KEYS[1 + place])
  local used = 0
  opens[place] = left < 0
  if left >= 0 then used = tonumber(redis.call('GET', KEYS[1 + place])) or 0 end
  if used + tonumber(ARGV[3 * place + 3]) > tonumber(ARGV[3 * place + 1]) then
    answer[1], answer[2], answer[3] = 2, place, left
    return answer
  end
end

for place = 1, rates do
  if opens[place] then
    redis.call('SET', KEYS[1 + place], ARGV[3 * place + 3], 'PX', ARGV[3 * place + 2])
  else
    redis.call('INCRBY', KEYS[1 + place], ARGV[3 * place + 3])
  end
end
for place, day in ipairs(days) do
  local key = KEYS[1 + rates + place]
  local files, bytes = argument_of_day(place, 3), argument_of_day(place, 4)
  if is_new[place] then
    redis.call('HSET', key, 'day', day, 'files', files, 'bytes', bytes)
  else
    redis.call('HINCRBY', key, 'files', files)
    redis.call('HINCRBY', key, 'bytes', bytes)
  end
  redis.call('EXPIRE', key, (day + 1) * 86400 - offset - now + tonumber(kept))
  answer[3 + 3 * place] = answer[3 + 3 * place] + tonumber(files)
  answer[4 + 3 * place] = answer[4 + 3 * place] + tonumber(bytes)
end
redis.call('SET', KEYS[1], table.concat(days, ' '), 'EX', kept)
return answer
"""

# KEYS: the request's, those of its days. ARGV: of each day files and bytes. Returns how many days they were
# taken out of; a request is given back once, and only in the day that it was counted in.
GIVE_BACK = """
local days = redis.call('GET', KEYS[1])
if not days then return 0 end
redis.call('DEL', KEYS[1])
local place, changed = 0, 0
for day in string.gmatch(days, '%d+') do
  place = place + 1
  local held = redis.call('HMGET', KEYS[1 + place], 'day', 'files', 'bytes')
  if held[1] == day then
    local files = math.max(0, tonumber(held[2]) - tonumber(ARGV[2 * place - 1]))
    local bytes = math.max(0, tonumber(held[3]) - tonumber(ARGV[2 * place]))
    files, bytes = string.format('%.0f', files), string.format('%.0f', bytes)
    redis.call('HSET', KEYS[1 + place], 'files', files, 'bytes', bytes)
    changed = changed + 1
  end
end
return changed
"""


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
