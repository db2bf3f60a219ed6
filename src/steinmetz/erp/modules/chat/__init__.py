"""Channels, messages, and who has read how far."""
