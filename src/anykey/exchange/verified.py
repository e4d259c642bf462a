"""Keys that were verified and are still in force, by the header value that carried them.

Looking one up costs a tenth of verifying it. The memory belongs to one state of the keys: as soon as any key changes, in any
process, all of it is forgotten. It is bounded, and only keys in force get in, so strangers cannot fill it.
"""

from __future__ import annotations

from collections.abc import Mapping

from anykey.accounts.keys import ApiKey

MOST_KEPT = 4096


class VerifiedKeys:
    """Header value → key, for one state of the keys."""

    __slots__ = ("_found", "_keys")

    def __init__(self) -> None:
        self._keys: Mapping[str, ApiKey] | None = None
        self._found: dict[bytes, ApiKey] = {}

    def get(self, credential: bytes, keys: Mapping[str, ApiKey]) -> ApiKey | None:
        """The key that ``credential`` was found to be under these very ``keys``, else None."""
        return self._found.get(credential) if keys is self._keys else None

    def remember(self, credential: bytes, key: ApiKey, keys: Mapping[str, ApiKey]) -> None:
        """``credential`` is ``key`` as long as ``keys`` are the keys."""
        if keys is not self._keys or len(self._found) >= MOST_KEPT:
            self._found = {}
            self._keys = keys
        self._found[credential] = key
