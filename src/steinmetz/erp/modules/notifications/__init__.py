"""Notices to all, to a role or to one user, and who has read them."""
