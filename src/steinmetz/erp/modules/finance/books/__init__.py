"""Accounts, journal entries with their posting lines, and the reports that are added up from them."""
