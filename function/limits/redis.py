"""Counts of all instances in one Redis: one round trip a request, within a time budget."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from function.annotations import Any
from function.limits.quota import (
    DAY_SECONDS,
    REMEMBERED_SECONDS,
    QuotaRequest,
    Remaining,
    StoreDown,
    exceeded,
)
from function.limits.rate_limit import too_many_items, too_many_requests
from function.limits.redis_connection import Address, Broken, Wire, connect

# Result codes of COUNT.
COUNTED, DAY_IS_FULL, RATE_IS_USED = 0, 1, 2

# KEYS: the request, the rates, the days. ARGV: seconds east of UTC, seconds that a request is remembered,
# number of rates; of each rate its limit, milliseconds, amount; of each day maximum files and bytes (-1: not
# limited), files and bytes to add. Returns: result code, index of the rate or day that refused, milliseconds
# to wait, clock of Redis in seconds; of each day its number, files and bytes.
COUNT = """
local now = tonumber(redis.call('TIME')[1])
local offset, remembered, rates = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local reply = {0, 0, 0, now}
local days, is_new, fits = {}, {}, true
local seen = redis.call('GET', KEYS[1]) ~= false

local function day_argument(index, which)
  return ARGV[3 + 3 * rates + 4 * (index - 1) + which]
end

for index = 1, #KEYS - 1 - rates do
  local counts = redis.call('HMGET', KEYS[1 + rates + index], 'day', 'files', 'bytes')
  local today = math.floor((now + offset) / 86400)
  local day, files, bytes = tonumber(counts[1]), tonumber(counts[2]), tonumber(counts[3])
  is_new[index] = day ~= today and day ~= today + 1
  if is_new[index] then day, files, bytes = today, 0, 0 end
  days[index] = day
  reply[2 + 3 * index], reply[3 + 3 * index], reply[4 + 3 * index] = day, files, bytes
  local max_files, max_bytes = tonumber(day_argument(index, 1)), tonumber(day_argument(index, 2))
  local is_full = (max_files >= 0 and files + tonumber(day_argument(index, 3)) > max_files)
    or (max_bytes >= 0 and bytes + tonumber(day_argument(index, 4)) > max_bytes)
  if is_full and fits then
    fits = false
    reply[1], reply[2] = 1, index
  end
end
if seen then
  reply[1] = 0
  return reply
end
if not fits then return reply end

local opens = {}
for index = 1, rates do
  local left = redis.call('PTTL', KEYS[1 + index])
  local used = 0
  opens[index] = left < 0
  if left >= 0 then used = tonumber(redis.call('GET', KEYS[1 + index])) or 0 end
  if used + tonumber(ARGV[3 * index + 3]) > tonumber(ARGV[3 * index + 1]) then
    reply[1], reply[2], reply[3] = 2, index, left
    return reply
  end
end

for index = 1, rates do
  if opens[index] then
    redis.call('SET', KEYS[1 + index], ARGV[3 * index + 3], 'PX', ARGV[3 * index + 2])
  else
    redis.call('INCRBY', KEYS[1 + index], ARGV[3 * index + 3])
  end
end
for index, day in ipairs(days) do
  local key = KEYS[1 + rates + index]
  local files, bytes = day_argument(index, 3), day_argument(index, 4)
  if is_new[index] then
    redis.call('HSET', key, 'day', day, 'files', files, 'bytes', bytes)
  else
    redis.call('HINCRBY', key, 'files', files)
    redis.call('HINCRBY', key, 'bytes', bytes)
  end
  redis.call('EXPIRE', key, (day + 1) * 86400 - offset - now + tonumber(remembered))
  reply[3 + 3 * index] = reply[3 + 3 * index] + tonumber(files)
  reply[4 + 3 * index] = reply[4 + 3 * index] + tonumber(bytes)
end
redis.call('SET', KEYS[1], table.concat(days, ' '), 'EX', remembered)
return reply
"""

# KEYS: the request, its days. ARGV: of each day files and bytes. Returns how many days were changed; a
# request is given back once, and only in the day that it was counted in.
GIVE_BACK = """
local days = redis.call('GET', KEYS[1])
if not days then return 0 end
redis.call('DEL', KEYS[1])
local index, changed = 0, 0
for day in string.gmatch(days, '%d+') do
  index = index + 1
  local counts = redis.call('HMGET', KEYS[1 + index], 'day', 'files', 'bytes')
  if counts[1] == day then
    local files = math.max(0, tonumber(counts[2]) - tonumber(ARGV[2 * index - 1]))
    local bytes = math.max(0, tonumber(counts[3]) - tonumber(ARGV[2 * index]))
    files, bytes = string.format('%.0f', files), string.format('%.0f', bytes)
    redis.call('HSET', KEYS[1 + index], 'files', files, 'bytes', bytes)
    changed = changed + 1
  end
end
return changed
"""

# For resolving, connecting, logging in, sending and reading together.
BUDGET_SECONDS = 0.3
# A connection idle for longer may have been dropped by a middlebox, which a frozen instance does not notice.
MAX_IDLE = timedelta(seconds=60)
MAX_IDLE_CONNECTIONS = 32
NOT_LIMITED = -1
# A quota has at most 2**50 bytes, and a day much less than this; calendars end in the year 9999.
MAX_COUNT, MAX_DAY = 2**53, 2_900_000


class RedisStore:
    """
    A ``Store`` for every instance with the same Redis and the same ``bucket``.

    The clock of Redis decides the day. A request whose connection broke is repeated once on a new one.
    """

    def __init__(
        self, address: Address, utc_offset: timedelta, bucket: str, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        self._address = address
        self._offset = utc_offset
        self._bucket = bucket
        self._budget_seconds = budget_seconds
        self._idle: list[tuple[Wire, datetime]] = []

    def count(self, request: QuotaRequest, now: datetime) -> list[Remaining]:
        """Count all of the request or nothing, as ``Store`` says."""
        for item in request.rates:
            if item.amount > item.rate.limit:
                raise too_many_items(item.rate)
        code, index, wait, clock, *days = self._run_count(request, now)
        left = [
            item.left(files, bytes_, self._end_of(day))
            for item, day, files, bytes_ in zip(
                request.quotas, days[::3], days[1::3], days[2::3], strict=True
            )
        ]
        if code == DAY_IS_FULL:
            raise exceeded(request.quotas[index - 1], left[index - 1], datetime.fromtimestamp(clock, UTC))
        if code == RATE_IS_USED:
            raise too_many_requests(request.rates[index - 1].rate, max(1, -(-wait // 1000)))
        return left

    def give_back(self, request: QuotaRequest, now: datetime) -> None:
        """Take the files and bytes out of their days again, once, as ``Store`` says."""
        amounts = [amount for item in request.quotas for amount in (item.files, item.bytes_)]
        keys = [self._request_key(request), *self._day_keys(request)]
        _, wire = self._run(GIVE_BACK, keys, amounts, now)
        self._keep_idle(wire, now)

    def open(self, now: datetime) -> None:
        """Connect before the first request."""
        self._keep_idle(connect(self._address, time.monotonic() + self._budget_seconds), now)

    def _run_count(self, request: QuotaRequest, now: datetime) -> list[int]:
        reply, wire = self._run(COUNT, *self._count_arguments(request), now)
        if not _is_readable(reply, request):
            wire.close()
            raise StoreDown("unexpected reply")
        self._keep_idle(wire, now)
        return list(reply)

    def _run(self, script: str, keys: list[str], arguments: list[int], now: datetime) -> tuple[Any, Wire]:
        """Return the reply, and the connection that brought it."""
        until = time.monotonic() + self._budget_seconds
        wire = self._take_idle(now)
        if wire:
            with suppress(Broken):
                return wire.run(script, keys, arguments, until), wire
        wire = connect(self._address, until)
        return wire.run(script, keys, arguments, until), wire

    def _take_idle(self, now: datetime) -> Wire | None:
        """Return the most recently used connection that is fresh enough."""
        while True:
            try:
                wire, since = self._idle.pop()
            except IndexError:
                return None
            if now - since < MAX_IDLE:
                return wire
            wire.close()

    def _keep_idle(self, wire: Wire, now: datetime) -> None:
        if len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append((wire, now))
        else:
            wire.close()

    def _count_arguments(self, request: QuotaRequest) -> tuple[list[str], list[int]]:
        rates = [
            self._key(request, f"rate:{limit}/{rate.seconds}:{key}") for limit, rate, key, _ in request.rates
        ]
        arguments = [int(self._offset.total_seconds()), REMEMBERED_SECONDS, len(rates)]
        for _, rate, _, amount in request.rates:
            arguments += [rate.limit, rate.seconds * 1000, amount]
        for item in request.quotas:
            maximum = (item.max_files or NOT_LIMITED, item.max_bytes or NOT_LIMITED)
            arguments += [*maximum, item.files, item.bytes_]
        return [self._request_key(request), *rates, *self._day_keys(request)], arguments

    def _request_key(self, request: QuotaRequest) -> str:
        return self._key(request, f"request:{request.request_id}")

    def _day_keys(self, request: QuotaRequest) -> list[str]:
        return [self._key(request, f"day:{item.profile}") for item in request.quotas]

    def _key(self, request: QuotaRequest, name: str) -> str:
        """Return a key of Redis; the part in braces decides the slot of a cluster, one for all counts."""
        return f"oss-direct-upload:{{{self._bucket}/{request.owner}}}:{name}"

    def _end_of(self, day: int) -> datetime:
        return datetime.fromtimestamp((day + 1) * DAY_SECONDS, UTC) - self._offset


def _is_readable(reply: Any, request: QuotaRequest) -> bool:
    """Return whether this is a reply of ``COUNT``: anything else has counted nothing that is known."""
    if not isinstance(reply, list) or len(reply) != 4 + 3 * len(request.quotas):
        return False
    if not all(type(number) is int and 0 <= number <= MAX_COUNT for number in reply):
        return False
    code, index, _, clock, *days = reply
    refusing = {COUNTED: None, DAY_IS_FULL: request.quotas, RATE_IS_USED: request.rates}.get(code, ())
    is_verdict = refusing is None or 1 <= index <= len(refusing)
    fits: bool = is_verdict and max(clock // DAY_SECONDS, 0, *days[::3]) <= MAX_DAY
    return fits
