"""Carries: rules watched in the background, and what they say to the log, a webhook and listeners."""
