"""Keeps: what each database engine can tell of its plans, its indexes and its work."""
