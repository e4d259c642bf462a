"""Single changes of a JSON body, and whether a Loss names the place of one."""

import copy
import re
from collections import Counter
from typing import Any, NamedTuple

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import Loss
from tests.properties.speakers import Speaker
from tests.properties.words import Json

_BLOCKS = ("content", "system", "tools", "functions", "tool_calls", "reasoning_details")
Path = tuple[str | int, ...]


class Outcome(NamedTuple):
    """What became of a request: the upstream's body with the losses, or a refusal that tells the caller why."""

    body: bytes
    losses: tuple[Loss, ...]
    refusal: str = ""


def outcome(source: Speaker, target: Speaker, dialect: Any, body: Json) -> Outcome:
    """Read ``body`` as ``source`` and write it as ``target``."""
    try:
        request, read_losses = source.read(body)
        sent, losses = target.codec.encode_request(request, dialect)
    except FailureError as error:
        return Outcome(b"", (), error.failure.message)
    return Outcome(sent, (*read_losses, *losses))


def leaves(value: Any, path: Path = ()) -> list[Path]:
    """The paths of everything that is not an object or an array with something in it."""
    if isinstance(value, dict) and value:
        inner: Json = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return [leaf for key, item in inner.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return [leaf for number, item in enumerate(items) for leaf in leaves(item, (*path, number))]
    return [path]


def objects(value: Any, path: Path = ()) -> list[Path]:
    """The paths of all objects."""
    if isinstance(value, dict):
        inner: Json = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return [path, *(found for key, item in inner.items() for found in objects(item, (*path, key)))]
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return [found for number, item in enumerate(items) for found in objects(item, (*path, number))]
    return []


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(body: Json, path: Path, value: Any) -> Json:
    """``body`` with another ``value`` at ``path``."""
    edited = copy.deepcopy(body)
    at(edited, path[:-1])[path[-1]] = value
    return edited


def without(body: Json, path: Path) -> Json:
    """``body`` without what stands at ``path``."""
    edited = copy.deepcopy(body)
    del at(edited, path[:-1])[path[-1]]
    return edited


def another(value: Any) -> Any:
    """A value of the same type that is not the same."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case list():
            return [{"x": "x"}]
        case _:
            return {"x": "x"} if isinstance(value, dict) else "x"


def is_named(before: Outcome, path: Path, source: Speaker, target: Speaker, dialect: Any, body: Json) -> bool:
    """A Loss of ``before`` stands for ``path``: it is at or above that place; or it would not be there without the value or an
    object around it, up to the block, call or tool it is of; of that one the Loss must name the whole."""
    spelled = _spell(path)
    if any(spelled == found or spelled.startswith((found + ".", found + "[")) for found in map(_plain, before.losses)):
        return True
    for length in range(len(path), 0, -1):
        whole = path[:length]
        if length > 1 and whole[-2] == "messages":
            return False
        rest = outcome(source, target, dialect, without(body, whole))
        gone = Counter(map(_kind, before.losses)) - Counter(map(_kind, rest.losses))
        if isinstance(whole[-1], int) and whole[-2] in _BLOCKS:
            return any(code.endswith("[]") for code, _ in gone)
        if gone:
            return True
    return False


def _kind(loss: Loss) -> tuple[str, str]:
    return re.sub(r"\d+", "", f"{loss.kind}:{loss.path}"), loss.reason


def _spell(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _plain(loss: Loss) -> str:
    """The path as the wire spells it, where the neutral model has another word."""
    return re.sub(r"\.parts\b", ".content", loss.path).replace("instructions", "system", 1)
