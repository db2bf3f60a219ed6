"""The overview; owns no tables, reads others' services."""
