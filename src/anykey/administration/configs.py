"""Keep gateway configs: put, list, show, delete, check. A put that changes nothing makes no version."""

import re
import time
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.routing.config import LONGEST_CONFIG, Config, ConfigError, read_config
from anykey.storage import configs as stored
from anykey.storage.configs import ConfigRow

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:@([1-9][0-9]{0,8}))?")


class Put(msgspec.Struct, frozen=True):
    """`row` is the config as it is kept; `new` is False where it was so before. `notes`: what in it will not be done."""

    row: ConfigRow
    new: bool
    notes: tuple[str, ...]


def put_config(home: Home, name: str, text: bytes, *, actor: Actor = LOCAL) -> Put:
    """Keep `text` (JSON, or TOML) as the newest version of the config `name`. Raises AdministrationError where it cannot be
    meant, and keeps nothing."""
    require(actor, "configs:write", None)
    if not _NAME.fullmatch(name):
        raise AdministrationError("configs.bad_name", name=name[:80])
    table, config = _understood(text)
    body = msgspec.json.encode(table, order="deterministic").decode()
    row = stored.put_config(home.database, name, body, int(time.time()), actor.name)
    if row is not None:
        return Put(row, new=True, notes=config.notes)
    return Put(find_config(home, name), new=False, notes=config.notes)


def check_config(text: bytes) -> tuple[str, ...]:
    """Read `text` as `put_config` would, without keeping it. Returns what in it will not be done."""
    return _understood(text)[1].notes


def list_configs(home: Home) -> list[ConfigRow]:
    """The newest version of each config, by name."""
    return stored.list_configs(home.database)


def find_config(home: Home, reference: str) -> ConfigRow:
    """The config of `name` or `name@version`. Raises AdministrationError where there is none."""
    found = _REFERENCE.fullmatch(reference)
    row = None
    if found is not None:
        row = stored.find_config(home.database, found[1], None if found[2] is None else int(found[2]))
    if row is None:
        raise AdministrationError("configs.not_found", name=reference[:80])
    return row


def delete_config(home: Home, name: str, *, actor: Actor = LOCAL) -> int:
    """Forget the config and all its versions; returns how many. Raises AdministrationError where there is none."""
    require(actor, "configs:write", None)
    count = stored.delete_config(home.database, name, actor.name)
    if not count:
        raise AdministrationError("configs.not_found", name=name[:80])
    return count


def _understood(text: bytes) -> tuple[Mapping[str, Any], Config]:
    """The table, and what it means."""
    try:
        table = _table(text)
        return table, read_config(table)
    except ConfigError as error:
        raise AdministrationError("configs.wrong", reason=error) from None


def _table(text: bytes) -> Mapping[str, Any]:
    """JSON begins with a brace; anything else is TOML."""
    if len(text) > LONGEST_CONFIG:
        raise ConfigError("", f"the config is larger than {LONGEST_CONFIG:,} bytes")
    if text.lstrip()[:1] == b"{":
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError("", f"the config is not JSON: {error}"[:300]) from None
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("", f"the config is neither JSON nor TOML: {error}"[:300]) from None
