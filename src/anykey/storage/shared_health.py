"""Where health is shared: through the database, and through Valkey too where one is configured."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from anykey.accounts.permissions import LOCAL
from anykey.providers.secret import Secret
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.health import HealthRow, HealthShare, forget_health, read_health

if TYPE_CHECKING:
    from anykey.storage.valkey_health import ValkeyHealth


class HealthPlaces:
    """The places of one installation. ``pepper`` is its own; ``valkey`` is the URL of a server, None: there is none."""

    def __init__(self, database: Database, valkey: Secret | None, pepper: bytes) -> None:
        self._database = database
        self._valkey = valkey
        self._pepper = pepper

    def share(self) -> HealthShare | ValkeyHealth:
        """The share of one serving process. StorageError: a Valkey is configured, and its driver is not installed."""
        if self._valkey is None:
            return HealthShare(self._database)
        place = _valkey_health()
        return place.ValkeyHealth(self._valkey.reveal(), HealthShare(self._database), self._pepper)

    def read(self) -> list[HealthRow]:
        """All rows, the newest first. Raises StorageError."""
        rows = read_health(self._database)
        if self._valkey is None:
            return rows
        place = _valkey_health()
        return place.merged(rows, place.read_valkey_health(self._valkey.reveal(), self._pepper))

    def forget(self, rows: Sequence[HealthRow], name: str = "", author: str = LOCAL.name) -> None:
        """Take these rows away, as ``storage.health.forget_health`` says. Raises StorageError."""
        forget_health(self._database, rows, name, author)
        if self._valkey is not None:
            _valkey_health().forget_valkey_health(self._valkey.reveal(), self._pepper, rows)


def _valkey_health() -> ModuleType:
    try:
        from anykey.storage import valkey_health  # noqa: PLC0415 - an extra, loaded where it is configured
    except ImportError as error:
        raise StorageError("storage.no_valkey", reason=error) from error
    return valkey_health
