"""The logs, maintenance, the chores' last runs, and what operators ask of the running process."""

from steinmetz.erp.modules.system.service import audit, chores, health, maintenance, retention, sign_ins

__all__ = ["audit", "chores", "health", "maintenance", "retention", "sign_ins"]
