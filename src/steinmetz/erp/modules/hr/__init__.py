"""Departments, employees, time and leave."""
