"""Every sentence shown to a person, by its code, in their language.

A catalogue is a TOML file beside this module whose nested tables spell dotted codes; a message is a `str.format`
pattern. Both files hold the same codes with the same placeholders (a test compares them).
"""

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

LANGUAGES = ("en", "zh-CN")
# ANYKEY_LANG first; then the order in which POSIX reads the locale of messages.
_VARIABLES = ("ANYKEY_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


class SpokenError(Exception):
    """An error made for the person who runs the command: `str()` of it is one clear sentence in their language."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        return say(self.code, **self.values)


def language(environ: Mapping[str, str]) -> str:
    """The catalogue for `environ`: the first variable that is set decides; `zh…` is Chinese, all else English."""
    chosen = next((value for name in _VARIABLES if (value := environ.get(name))), "")
    return "zh-CN" if chosen.lower().startswith("zh") else "en"


def say(code: str, **values: object) -> str:
    """The message `code` with its placeholders filled.

    A code that no catalogue has comes back as itself with its values: an error on the way to the user must not be
    hidden behind a second one.
    """
    pattern = catalogue(language(os.environ)).get(code)
    if pattern is None:
        return " ".join((code, *(f"{name}={value}" for name, value in values.items())))
    return pattern.format_map(values)


@cache
def catalogue(name: str) -> Mapping[str, str]:
    """Dotted code → pattern, for one of LANGUAGES."""
    text = files("anykey.language").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return dict(_flatten("", tomllib.loads(text)))


def _flatten(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    messages: list[tuple[str, str]] = []
    for name, value in table.items():
        code = f"{prefix}{name}"
        if isinstance(value, dict):
            messages.extend(_flatten(f"{code}.", cast("dict[str, Any]", value)))
        else:
            messages.append((code, str(value)))
    return messages
