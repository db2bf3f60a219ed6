"""Carries: executions and tracked work in."""
