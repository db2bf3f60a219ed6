"""Answers computed before anybody asks: those that were worth most before the restart."""
