"""
The two scripts that the store runs, each as one step that nothing comes between.

Every key is named by the caller and has the owner between braces, so all of a request lie in one hash slot
of a cluster. The clock is the store's: a day begins for every instance at the same moment. A day stays
current while the clock says the day before it, as when a machine with a clock behind takes over at midnight.

=========  =============================================================================
key        what it holds
=========  =============================================================================
request    the numbers of the days it was counted in, one for each day's key, for a minute
rate       what was asked for in the window, which ends with the key
day        a hash: ``day`` (since 1970), ``files``, ``bytes``; ends a minute after its day
=========  =============================================================================
"""

from hashlib import sha1

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


def digest_of(script: str) -> str:
    """What ``EVALSHA`` knows it by, once the store has run it."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
