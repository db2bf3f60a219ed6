"""The tree of business functions and its rules."""
