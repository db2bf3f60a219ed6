"""Cases for the index advisor: a company's data, statements on it, and the best set of indexes found by search."""
