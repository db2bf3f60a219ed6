#!lua
-- One entry more in the log of writes: mark, bump, unmark, move or clear.
-- KEYS: state, log. ARGV: a boot id if none is there, op, node, number of the mark, writes, lease in ms, length of the log.
-- Returns {boot, number}. A Redis that was emptied begins a new life, with numbers above those of any life before.
local state, log = KEYS[1], KEYS[2]
local op, node, mark, writes = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known = redis.call('HMGET', state, 'boot', 'tip')
local boot, before = known[1], known[2]
local time = redis.call('TIME')
if not boot or not before then
  boot, before = ARGV[1], 'start'
  redis.call('DEL', state, log)
  redis.call('HSET', state, 'boot', boot, 'number', time[1] .. string.format('%06d', time[2]))
end
-- HINCRBY answers with a Lua number, which has all digits up to 2^53; tostring() would round it.
local number = string.format('%.0f', redis.call('HINCRBY', state, 'number', 1))
local tip = node .. ':' .. op .. ':' .. mark .. ':' .. number
redis.call('HSET', state, 'tip', tip)
local field = 'm:' .. node .. ':' .. mark
if op == 'mark' then
  local ends = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[6])
  redis.call('HSET', state, field, string.format('%.0f', ends) .. ' ' .. writes)
else
  redis.call('HDEL', state, field)
end
redis.call('XADD', log, 'MAXLEN', '~', ARGV[7], number .. '-0',
  'before', before, 'tip', tip, 'op', op, 'node', node, 'mark', mark, 'writes', writes)
return {boot, number}
