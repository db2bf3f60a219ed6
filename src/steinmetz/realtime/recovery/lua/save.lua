#!lua
-- Keep a session. KEYS: session. ARGV: owner, session, life in ms, whether it is new.
-- One that is not new is kept only while it belongs to its owner: what somebody else has taken is his.
local owner, life = ARGV[1], ARGV[3]
if ARGV[4] == '0' then
  local known = redis.call('GETRANGE', KEYS[1], 0, #owner)
  if known ~= owner .. ' ' then
    return 0
  end
end
redis.call('SET', KEYS[1], owner .. ' ' .. ARGV[2], 'PX', life)
return 1
