"""Decides: numbers, names and what may be shown; no clock, no I/O."""
