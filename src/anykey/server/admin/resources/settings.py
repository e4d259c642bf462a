"""The settings in effect, as they are read at this moment. Providers, models and groups have operations of their own.

Law: a value is told only if it is of a plain type, in a section that is listed here; what holds a secret is of neither.
"""

import re
from pathlib import Path
from typing import Any, cast

import msgspec

from anykey.server.admin.configuration import settings_now
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Told

SETTINGS = Resource("settings")
SECTIONS = ("server", "responses", "upstream", "ledger", "limits", "database", "audit", "retention")
HIDDEN = "***"
_USER_INFO = re.compile(r"(://)[^/@]*@")


class SettingsTold(Told):
    """`sections` by name, as in `anykey.toml`; `config` is the file that was read."""

    home: str
    config: str | None
    sections: dict[str, dict[str, Any]]
    warnings: list[str]


@SETTINGS.operation("GET", "/admin/v1/settings", permission="settings:read")
def settings_get(caller: Calling) -> SettingsTold:
    """Show the settings in effect."""
    settings = settings_now(caller)
    found = {name: getattr(settings, name, None) for name in SECTIONS}
    return SettingsTold(
        home=str(settings.home),
        config=None if settings.config is None else str(settings.config),
        sections={name: plain(section) for name, section in found.items() if isinstance(section, msgspec.Struct)},
        warnings=[str(warning) for warning in settings.warnings],
    )


def plain(section: msgspec.Struct) -> dict[str, Any]:
    """The values of a section, what is not plain hidden, and no user or password in a URL."""
    return {name: _value(getattr(section, name)) for name in section.__struct_fields__}


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Path):
        return _USER_INFO.sub(rf"\1{HIDDEN}@", str(value))
    if isinstance(value, msgspec.Struct):
        return plain(value)
    if isinstance(value, tuple):
        return [_value(item) for item in cast("tuple[object, ...]", value)]
    return HIDDEN
