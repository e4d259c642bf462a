"""Fills the placeholders of a kind's addresses: `{region}`, `{resource}`, `{account_id}` … with an operator's values.

`{model}` is no variable: it stays, and is filled for each call.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from anykey.providers.records import EndpointRow, ProviderKind

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_PER_CALL = "model"


def is_value(text: str) -> bool:
    """Say whether `text` may stand for a variable: a part of a host name or one segment of a path, nothing that ends either."""
    return _VALUE.match(text) is not None and ".." not in text


def variables_in(doors: Iterable[EndpointRow]) -> tuple[str, ...]:
    """Return the names of the variables that these doors' addresses need, in order, each once."""
    texts = (text for door in doors for text in (door.base_url, door.path, door.models_url or ""))
    names = dict.fromkeys(name for text in texts for name in _PLACEHOLDER.findall(text))
    return tuple(name for name in names if name != _PER_CALL)


def values_of(kind: ProviderKind, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each of the kind's variables that has one: given, else of its environment variables, else its default.

    A variable that names a host is often set as `https://host/`; that is understood.
    """
    values: dict[str, str] = {}
    for variable in kind.variables:
        around = (environ.get(name, "").strip() for name in variable.envs)
        text = given.get(variable.name, "") or next(filter(None, around), "") or variable.default
        if text:
            values[variable.name] = text.removeprefix("https://").rstrip("/")
    return values


def filled(doors: Iterable[EndpointRow], values: Mapping[str, str]) -> tuple[EndpointRow, ...]:
    """Return the doors with every variable that has a value replaced by it. One called `region` also names the region of a door
    that has none, for signatures name it and an address of one's own does not tell it."""

    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text) if "{" in text else text

    return tuple(
        msgspec.structs.replace(
            door,
            region=values.get("region", door.region) if door.region == "global" else door.region,
            base_url=fill(door.base_url),
            path=fill(door.path),
            models_url=None if door.models_url is None else fill(door.models_url),
        )
        for door in doors
    )
