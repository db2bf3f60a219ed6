"""Answers computed before anybody asks: worth most before the restart, or in demand after a commit."""
