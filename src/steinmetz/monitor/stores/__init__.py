"""Keeps: the figures."""
