#!lua
-- Keeps an answer for the other nodes, unless the log has begun a new life or a newer answer is there.
-- KEYS: entry, state, index, total. ARGV: boot, number, bytes, life in ms, bytes that all may have.
-- The index holds "length key" by the instant at which the answer dies; what dies first is the first to go.
-- Returns 1 if it was kept.
local entry, index, total = KEYS[1], KEYS[3], KEYS[4]
if redis.call('HGET', KEYS[2], 'boot') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(member)
  if redis.call('ZREM', index, member) == 1 then
    redis.call('DECRBY', total, string.match(member, '^%d+'))
  end
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 100)) do
  forget(member)
end
local head = redis.call('GETRANGE', entry, 0, 15)
if head ~= '' then
  if head > ARGV[2] then
    return 0
  end
  forget(string.format('%d', redis.call('STRLEN', entry)) .. ' ' .. entry)
end
local length, budget = #ARGV[3], tonumber(ARGV[5])
if length > budget then
  redis.call('DEL', entry)
  return 0
end
while (tonumber(redis.call('GET', total)) or 0) + length > budget do
  local first = redis.call('ZRANGE', index, 0, 0)[1]
  if not first then
    redis.call('DEL', total)
    break
  end
  forget(first)
  redis.call('DEL', string.match(first, '^%d+ (.*)$'))
end
redis.call('SET', entry, ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', index, now + tonumber(ARGV[4]), length .. ' ' .. entry)
redis.call('INCRBY', total, length)
return 1
