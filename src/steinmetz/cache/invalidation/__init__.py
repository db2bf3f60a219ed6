"""Read sets in, write sets out at the commit."""
