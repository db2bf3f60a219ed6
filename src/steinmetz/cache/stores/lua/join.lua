#!lua
-- What a node must know that begins, or begins anew: how far the log goes, and which marks are up.
-- KEYS: state, log. ARGV: a boot id if none is there, length of the log, the node.
-- A mark whose lease has ended counts as a bump: its writer may have died after its COMMIT (H4). The joining itself
-- is an entry, so that what others offered before it has a lower number than the node believes.
-- Returns {boot, number, tip, {node, mark, lease left in ms, writes, ...}}.
local state, log = KEYS[1], KEYS[2]
local known = redis.call('HMGET', state, 'boot', 'tip')
local time = redis.call('TIME')
local boot, tip = known[1], known[2]
if not boot or not tip then
  boot, tip = ARGV[1], 'start'
  redis.call('DEL', state, log)
  redis.call('HSET', state, 'boot', boot, 'tip', tip, 'number', time[1] .. string.format('%06d', time[2]))
end
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function append(node, op, mark, writes)
  local number = string.format('%.0f', redis.call('HINCRBY', state, 'number', 1))
  local before = tip
  tip = node .. ':' .. op .. ':' .. mark .. ':' .. number
  redis.call('HSET', state, 'tip', tip)
  redis.call('XADD', log, 'MAXLEN', '~', ARGV[2], number .. '-0',
    'before', before, 'tip', tip, 'op', op, 'node', node, 'mark', mark, 'writes', writes)
end
local marks = {}
local fields = redis.call('HGETALL', state)
for at = 1, #fields, 2 do
  local node, mark = string.match(fields[at], '^m:(.+):(%d+)$')
  if node then
    local ends, writes = string.match(fields[at + 1], '^(%d+) (.*)$')
    local left = tonumber(ends) - now
    if left > 0 then
      for _, value in ipairs({node, mark, string.format('%.0f', left), writes}) do
        marks[#marks + 1] = value
      end
    else
      redis.call('HDEL', state, fields[at])
      append(node, 'bump', mark, writes)
    end
  end
end
append(ARGV[3], 'join', 0, '{"relations":[],"unknown":[]}')
return {boot, redis.call('HGET', state, 'number'), tip, marks}
