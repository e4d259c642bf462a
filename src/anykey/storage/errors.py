"""What can go wrong with the store: said to the operator, or told by a driver.

Both drivers' errors become the three below in sqlite_database.py and postgres_database.py; nothing else catches theirs.
"""

from anykey.language import SpokenError


class StorageError(SpokenError):
    """The store cannot be opened, is from a newer release, or failed."""


class DatabaseError(Exception):
    """The database failed or refused a statement. The message is the driver's, without passwords."""


class ConstraintError(DatabaseError):
    """What was written breaks a constraint: a key that exists, a CHECK, a column that must not be null."""


class BadValueError(DatabaseError):
    """A value that no column of its kind takes, however often it is tried: an integer beyond 64 bits, half a surrogate pair."""
