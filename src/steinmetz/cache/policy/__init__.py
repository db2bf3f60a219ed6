"""When an answer may be kept and given again. Pure: no loop, no clock, no socket, no store."""
