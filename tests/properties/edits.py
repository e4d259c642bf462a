"""Single changes of a JSON body, and whether a Loss names the place of one."""

import copy
import re
from collections import Counter
from typing import Any, NamedTuple

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import Loss
from tests.properties.speakers import Speaker
from tests.properties.words import Json

_BLOCKS = (
    "content",
    "parts",
    "system",
    "tools",
    "functions",
    "functionDeclarations",
    "tool_calls",
    "reasoning_details",
)
_TURNS = ("messages", "input", "contents")
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
        sent, losses = target.call(request, dialect)
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
        is_turn = length > 1 and whole[-2] in _TURNS and not _is_item(at(body, whole))
        if is_turn and whole[0] != "input":
            return False
        rest = outcome(source, target, dialect, without(body, whole))
        if rest.refusal:
            continue  # nothing is learnt of what is left: a call without its result, say
        gone = Counter(map(_kind, before.losses)) - Counter(map(_kind, rest.losses))
        if is_turn:  # what an assistant's message of Responses says of itself is kept beside each of its parts
            return any(code.endswith(".message") for code, _ in gone)
        if whole[-2:-1] == ("reasoning_details",) and path[-1] not in ("text", "summary"):
            return any(code.endswith(("[]", ".state")) for code, _ in gone)  # the rest of a detail is its state
        if _is_block(whole, body):
            return any(code.endswith("[]") for code, _ in gone) or (whole[-2] == "input" and bool(gone))
        if gone:
            return True
    return False


def _is_block(path: Path, body: Json) -> bool:
    """A block, call, tool or item: of what is inside it a Loss may name the whole. The pieces of a thought are none."""
    depth = len(path)
    holder = path[-2] if depth > 1 else ""
    if not isinstance(path[-1], int) or path[0] == "tool_choice":
        return False
    in_thought = path[0] == "input" and depth > 2 and at(body, path[:2]).get("type") == "reasoning"
    return holder == "input" or (holder in _BLOCKS and not in_thought)


def _is_item(value: Any) -> bool:
    """An entry of ``input`` that is one block, not a message that holds several."""
    if not isinstance(value, dict):
        return False
    item: Json = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    return item.get("type", "message") != "message"


def _kind(loss: Loss) -> tuple[str, str]:
    return re.sub(r"\d+", "", f"{loss.kind}:{loss.path}"), loss.reason


def _spell(path: Path) -> str:
    """The path as losses spell it: what Gemini calls contents and parts are messages and their content."""
    spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return re.sub(r"^contents(\[\d+\])\.parts\b", r"messages\1.content", spelled)


def _plain(loss: Loss) -> str:
    """The path as the wire spells it, where the neutral model has another word."""
    path = "max_tokens" if loss.path == "max_output_tokens" else loss.path
    return re.sub(r"\.parts\b", ".content", path).replace("instructions", "system", 1)
