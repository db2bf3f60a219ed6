#!lua
-- Something happens in a namespace: it gets the next position, is kept in its lanes and told to who listens to them.
-- KEYS: state, lane, ... ARGV: an epoch if there is none, node, its sequence, entry, life in ms, length of a lane.
-- (node, sequence) is known already when a node that heard no answer says it again: the answer is the same (T29).
-- An epoch begins at the milliseconds of its clock, above all positions of earlier ones, whatever is left of them.
-- Each entry names the one before it in its lane, so that a reader sees what was trimmed.
-- Returns {epoch, position}.
local state = KEYS[1]
local known = redis.call('HMGET', state, 'epoch', 'node:' .. ARGV[2])
local epoch = known[1]
if not epoch then
  epoch = ARGV[1]
  local time = redis.call('TIME')
  redis.call('HSET', state, 'epoch', epoch, 'position', time[1] .. string.format('%03d', math.floor(time[2] / 1000)))
end
if known[2] then
  local sequence, position = string.match(known[2], '^(%d+):(%d+)$')
  if tonumber(sequence) >= tonumber(ARGV[3]) then
    return {epoch, tonumber(position)}
  end
end
local position = redis.call('HINCRBY', state, 'position', 1)
redis.call('HSET', state, 'node:' .. ARGV[2], ARGV[3] .. ':' .. string.format('%.0f', position))
for at = 2, #KEYS do
  local lane = KEYS[at]
  local last = redis.call('XREVRANGE', lane, '+', '-', 'COUNT', 1)
  local before = last[1] and string.match(last[1][1], '^%d+') or '0'
  local id = string.format('%.0f', position) .. '-0'
  redis.call('XADD', lane, 'MAXLEN', ARGV[6], id, 'before', before, 'entry', ARGV[4])
  redis.call('PEXPIRE', lane, ARGV[5])
  redis.call('SPUBLISH', lane, epoch .. ':' .. string.format('%.0f', position) .. ':' .. ARGV[4])
end
return {epoch, position}
