"""What hr asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who means to write a time entry or leave takes the lock on its employee first (`employee_to_change`), and the
record's after it: one order, so that two writers wait for each other and never for ever. Departments come after
employees.
"""

from steinmetz.erp.modules.hr.repository import departments, employees, figures, hours, leave

__all__ = ["departments", "employees", "figures", "hours", "leave"]
