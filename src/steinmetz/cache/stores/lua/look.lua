#!lua
-- How far the log goes, and what of it the asker does not know.
-- KEYS: state, log. ARGV: the number that he knows, the most entries to tell.
-- Returns {boot, number, tip, entries}, or {} if there is no log. No flag says "no-writes", on purpose: a replica,
-- which may be behind, then refuses to run this.
local known = redis.call('HMGET', KEYS[1], 'boot', 'number', 'tip')
if not known[1] or not known[2] or not known[3] then
  return {}
end
local entries = {}
if known[2] ~= ARGV[1] then
  entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
end
return {known[1], known[2], known[3], entries}
