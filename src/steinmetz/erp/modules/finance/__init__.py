"""Customers, invoices, payments and the books."""
