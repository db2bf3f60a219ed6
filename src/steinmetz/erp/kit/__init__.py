"""Nouns without business: columns, pagination, money, periods."""
