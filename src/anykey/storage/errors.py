"""What can go wrong with the store, said to the operator."""

from anykey.language import SpokenError


class StorageError(SpokenError):
    """The store cannot be opened, is from a newer release, or failed."""
