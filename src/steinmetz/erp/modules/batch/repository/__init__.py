"""What batch asks of the database; decides nothing.

Lock order: an item, then the job's progress, then the job. Who takes several items or the row of a job that is not
planned yet passes over what others hold (SKIP LOCKED), so nobody waits in a circle.
"""

from steinmetz.erp.modules.batch.repository import items, jobs, origins

__all__ = ["items", "jobs", "origins"]
