#!lua
-- What the lanes hold behind a position each, and how far the namespace is.
-- KEYS: state, lane, ... ARGV: an epoch if there is none, the most entries of a lane, a position for each lane.
-- Another run of Redis may have forgotten what it said last, even if it keeps its data on disk: a new epoch.
-- Returns {epoch, position, {{before, position, entry, ...}, ...}, {node, its number:position, ...}}.
local state = KEYS[1]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', state, 'epoch', 'run', 'position')
local epoch, position = known[1], tonumber(known[3] or '0')
if not epoch or (known[2] and known[2] ~= run) then
  local time = redis.call('TIME')
  local now = tonumber(time[1] .. string.format('%03d', math.floor(time[2] / 1000)))
  redis.call('DEL', state)
  epoch, position = ARGV[1], math.max(position, now)
  redis.call('HSET', state, 'epoch', epoch, 'position', string.format('%.0f', position))
end
if known[2] ~= run then
  redis.call('HSET', state, 'run', run)
end
local lanes = {}
for at = 2, #KEYS do
  local entries = {}
  for _, each in ipairs(redis.call('XRANGE', KEYS[at], '(' .. ARGV[at + 1] .. '-0', '+', 'COUNT', ARGV[2])) do
    entries[#entries + 1] = each[2][2]
    entries[#entries + 1] = string.match(each[1], '^%d+')
    entries[#entries + 1] = each[2][4]
  end
  lanes[#lanes + 1] = entries
end
local nodes, fields = {}, redis.call('HGETALL', state)
for at = 1, #fields, 2 do
  local node = string.match(fields[at], '^node:(.+)$')
  if node then
    nodes[#nodes + 1] = node
    nodes[#nodes + 1] = fields[at + 1]
  end
end
return {epoch, position, lanes, nodes}
