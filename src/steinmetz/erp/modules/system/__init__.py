"""Audit, health and operations."""
