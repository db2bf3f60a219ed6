"""A backup is one file that was verified when it was made, and is verified again before it replaces anything.

`manifest` says what is in it, `archive` is its form, `sqlite` and `postgres` make and take the copy of a database.
It holds the database only: no secret of the data folder.
"""

from steinmetz.erp.backup.archive import Archive, write_archive
from steinmetz.erp.backup.manifest import BackupError, Manifest

__all__ = [
    # .archive
    "Archive",
    # .manifest
    "BackupError",
    "Manifest",
    # .archive
    "write_archive",
]
