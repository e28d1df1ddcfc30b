"""What can go wrong in the store itself; the core's NotFound and Conflict say the rest.

HousestyleError
├── CodecError           something stored is not what this version writes
├── StoreTooNew          a newer version of the program has upgraded the database
├── BackupDamaged        a backup is not as it was written
├── PlaceNotEmpty        a backup would be restored over what is there
└── Unavailable          what the core may try again as it is
    ├── StoreBusy        others kept the database locked, or two transactions blocked each other
    ├── StoreUnavailable the database does not answer
    └── DiskFailed       a file could not be written or read
"""

from bot.core.errors import Conflict, HousestyleError, Unavailable


class CodecError(HousestyleError):
    """Something stored is not what this version of the program writes: run `housestyle doctor`."""

    title = "Stored data not understood"


class StoreBusy(Unavailable, Conflict):
    """The database was locked for too long, or two transactions blocked each other: try again."""

    title = "Too busy"


class StoreUnavailable(Unavailable):
    """The database does not answer: check its address in the settings and that it runs."""

    title = "Database unavailable"


class StoreTooNew(HousestyleError):
    """The database was upgraded by a newer version: install that version, or restore a backup."""

    title = "Database too new"


class DiskFailed(Unavailable):
    """The disk refused a file: free some space, or check the permissions of the data folder."""

    title = "Disk trouble"


class BackupDamaged(HousestyleError):
    """A backup is not as it was written: take an older one, or another copy of it."""

    title = "Backup damaged"


class PlaceNotEmpty(HousestyleError):
    """A backup is restored into an empty place only: name another data folder or database."""

    title = "Not empty"
