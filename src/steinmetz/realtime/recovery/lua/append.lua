#!lua
-- Something happens in a namespace: it gets the next position, is kept in its lanes and told to who listens.
-- KEYS: state, lane, ... ARGV: an epoch if there is none, node, its number, life in ms, length of a lane, how to
-- publish, body, head of what is kept, the node's own channel, its head, channel, head, ...
-- (node, number) is known already when a node that heard no answer says it again: then only it is answered (T29).
-- An epoch begins at the milliseconds of its clock, above all positions of earlier ones, whatever is left of them.
-- Each entry names the one before it in its lane, so that a reader sees what was trimmed.
local state, node, number, publish, body = KEYS[1], 'node:' .. ARGV[2], ARGV[3], ARGV[6], ARGV[7]
local known = redis.call('HMGET', state, 'epoch', node)
local epoch = known[1]
if not epoch then
  epoch = ARGV[1]
  local time = redis.call('TIME')
  redis.call('HSET', state, 'epoch', epoch, 'position', time[1] .. string.format('%03d', math.floor(time[2] / 1000)))
end
if known[2] then
  local newest, position = string.match(known[2], '^(%d+):(%d+)$')
  if tonumber(newest) >= tonumber(number) then
    redis.call(publish, ARGV[9], '\1' .. epoch .. position .. ':' .. ARGV[10] .. body)
    return 0
  end
end
local position = string.format('%.0f', redis.call('HINCRBY', state, 'position', 1))
if not known[2] and redis.call('HLEN', state) > 300 then
  -- Nodes come and go: of those that have said nothing for longest, half are forgotten.
  local nodes, fields = {}, redis.call('HGETALL', state)
  for at = 1, #fields, 2 do
    local said = string.match(fields[at + 1], '^%d+:(%d+)$')
    if said then
      nodes[#nodes + 1] = {tonumber(said), fields[at]}
    end
  end
  table.sort(nodes, function(a, b) return a[1] < b[1] end)
  for at = 1, math.floor(#nodes / 2) do
    redis.call('HDEL', state, nodes[at][2])
  end
end
redis.call('HSET', state, node, number .. ':' .. position)
local kept, id = ARGV[8] .. body, position .. '-0'
for at = 2, #KEYS do
  local lane = KEYS[at]
  local last = redis.call('XREVRANGE', lane, '+', '-', 'COUNT', 1)
  local before = last[1] and string.match(last[1][1], '^%d+') or '0'
  redis.call('XADD', lane, 'MAXLEN', ARGV[5], id, 'before', before, 'entry', kept)
  redis.call('PEXPIRE', lane, ARGV[4])
end
local stamp = '\1' .. epoch .. position .. ':'
for at = 9, #ARGV, 2 do
  redis.call(publish, ARGV[at], stamp .. ARGV[at + 1] .. body)
end
return 1
