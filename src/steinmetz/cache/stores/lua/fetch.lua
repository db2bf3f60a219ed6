#!lua
-- An answer that some node has offered. KEYS: entry. Returns {its bytes, its life in ms} or {}.
local value = redis.call('GET', KEYS[1])
if not value then
  return {}
end
return {value, redis.call('PTTL', KEYS[1])}
