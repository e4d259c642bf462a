"""Keys written straight into a database, without the verbs."""

from anykey.accounts.keys import ApiKey
from anykey.storage import keys
from anykey.storage.database import Database
from anykey.storage.key_changes import changing_keys


def insert_key(database: Database, key: ApiKey) -> None:
    changing_keys(database, lambda connection: keys.insert_key(connection, key))


def mark_revoked(database: Database, key_id: str, at: int) -> None:
    changing_keys(database, lambda connection: keys.change_key(connection, key_id, {"revoked_at": at}))
