"""Portkey's conditions: queries in MongoDB's manner over what a call says of itself.

    {"metadata.plan": {"$eq": "paid"}, "$or": [{"params.model": {"$regex": "^gpt-"}}, {"params.tokens": {"$gt": 60000}}]}

All members of an object must hold. A field is `metadata.NAME`, `headers.NAME` or `params.NAME`, the last for what the routing
knows of the body (`PARAMS`). Metadata and headers are texts; beside a number they are read as one. A field that the call does
not have is unequal to everything. Patterns are searched for by the engine of the condition language, whose time is linear in
the text, so no pattern can hold the gateway up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from anykey.routing.ask import Facts

LONGEST_PATTERN = 200
_MOST_DEPTH = 8
PARAMS: dict[str, str] = {
    "model": "model",
    "stream": "stream",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "reasoning_effort": "effort",
    "effort": "effort",
    "thinking": "thinking",
    "tokens": "tokens",
    "tools": "tools",
    "images": "images",
    "web_search": "web_search",
    "client": "client",
    "protocol": "protocol",
}
"""`params.NAME` → the field of Facts."""

Holds = Callable[[Facts], bool]
Read = Callable[[Facts], Any]
Test = Callable[[Any], bool]


class QueryError(ValueError):
    """The query cannot be meant. `place` is where in it, such as `["$or"][0]`. `needs_admin`: an admin key may say it."""

    def __init__(self, place: str, what: str, *, needs_admin: bool = False) -> None:
        super().__init__(what)
        self.place = place
        self.needs_admin = needs_admin


def compile_query(query: Any, *, patterns: bool = True, place: str = "", depth: int = 0) -> Holds:
    """Compile a query. `patterns` False refuses `$regex`. Raises QueryError."""
    if not isinstance(query, dict) or not query:
        raise QueryError(place, "expected an object with a field to look at")
    if depth > _MOST_DEPTH:
        raise QueryError(place, f"nested more than {_MOST_DEPTH} deep")
    parts: list[Holds] = []
    for name, wanted in query.items():  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        field = str(name)  # pyright: ignore[reportUnknownArgumentType]
        if field in {"$and", "$or"}:
            parts.append(_junction(field, wanted, patterns=patterns, place=f"{place}.{field}", depth=depth))
        else:
            parts.append(_field(field, wanted, patterns=patterns, place=f"{place}.{field}"))
    if len(parts) == 1:
        return parts[0]
    return lambda facts: all(part(facts) for part in parts)


def _junction(name: str, wanted: Any, *, patterns: bool, place: str, depth: int) -> Holds:
    if not isinstance(wanted, list) or not wanted:
        raise QueryError(place, "expected a list of queries")
    parts = [
        compile_query(part, patterns=patterns, place=f"{place}[{number}]", depth=depth + 1)
        for number, part in enumerate(wanted)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    ]
    combine = all if name == "$and" else any
    return lambda facts: combine(part(facts) for part in parts)


def _field(name: str, wanted: Any, *, patterns: bool, place: str) -> Holds:
    read = _reader(name, place)
    if not isinstance(wanted, dict):
        return _reading(read, _test("$eq", wanted, place, patterns=patterns))
    if not wanted:
        raise QueryError(place, "expected an operator such as $eq")
    parts = [
        _reading(read, _test(str(operator), operand, place, patterns=patterns))  # pyright: ignore[reportUnknownArgumentType]
        for operator, operand in wanted.items()  # pyright: ignore[reportUnknownVariableType]
    ]
    return parts[0] if len(parts) == 1 else lambda facts: all(part(facts) for part in parts)


def _reading(read: Read, test: Test) -> Holds:
    return lambda facts: test(read(facts))


def _reader(name: str, place: str) -> Read:
    kind, _, key = name.partition(".")
    match kind:
        case "metadata" if key:
            return lambda facts: facts.metadata.get(key)
        case "headers" if key:
            header = key.lower()
            return lambda facts: facts.headers.get(header)
        case "params" if key in PARAMS:
            field = PARAMS[key]
            return lambda facts: getattr(facts, field)
        case "params" if key:
            raise QueryError(place, f"of params only these are known here: {', '.join(PARAMS)}")
        case _:
            raise QueryError(place, "expected metadata.NAME, headers.NAME or params.NAME, or an operator $and, $or")


def _test(operator: str, operand: Any, place: str, *, patterns: bool) -> Test:
    match operator:
        case "$eq":
            return lambda value: _equal(value, operand)
        case "$ne":
            return lambda value: not _equal(value, operand)
        case "$in" | "$nin":
            return _membership(operator, operand, place)
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _comparison(operator, operand, place)
        case "$regex":
            return _pattern(operand, place, allowed=patterns)
        case _:
            raise QueryError(place, f"{operator!r} is no operator; there are $eq $ne $gt $gte $lt $lte $in $nin $regex")


def _membership(operator: str, operand: Any, place: str) -> Test:
    if not isinstance(operand, list):
        raise QueryError(place, f"{operator} expects a list")
    among: list[Any] = list(operand)  # pyright: ignore[reportUnknownArgumentType]
    inside = operator == "$in"
    return lambda value: any(_equal(value, one) for one in among) is inside


def _comparison(operator: str, operand: Any, place: str) -> Test:
    if isinstance(operand, bool) or not isinstance(operand, (int, float, str)):
        raise QueryError(place, f"{operator} expects a number or a text")
    orders: dict[str, Callable[[int], bool]] = {
        "$gt": lambda order: order > 0,
        "$gte": lambda order: order >= 0,
        "$lt": lambda order: order < 0,
        "$lte": lambda order: order <= 0,
    }
    fits = orders[operator]

    def test(value: Any) -> bool:
        order = _order(value, operand)
        return order is not None and fits(order)

    return test


def _pattern(operand: Any, place: str, *, allowed: bool) -> Test:
    if not allowed:
        raise QueryError(place, "$regex is for stored configs and admin keys", needs_admin=True)
    if not isinstance(operand, str) or len(operand) > LONGEST_PATTERN:
        raise QueryError(place, f"$regex expects a pattern of at most {LONGEST_PATTERN} characters")
    import cel  # noqa: PLC0415 - 0.2 s that only configurations with patterns need

    program = cel.compile("value.matches(pattern)")
    try:
        program.execute({"value": "", "pattern": operand})
    except (RuntimeError, ValueError) as error:
        said = str(error).splitlines()
        raise QueryError(place, f"the pattern is not understood: {said[-1] if said else ''}"[:300]) from None

    def test(value: Any) -> bool:
        return isinstance(value, str) and program.execute({"value": value, "pattern": operand}) is True

    return test


def _equal(value: Any, operand: Any) -> bool:
    if isinstance(operand, bool):
        return value is operand or value == ("true" if operand else "false")
    return _order(value, operand) == 0


def _order(value: Any, operand: Any) -> int | None:
    """-1, 0 or 1 as `value` is less than, equal to or greater than `operand`; None where they have no order."""
    if isinstance(value, bool) or isinstance(operand, bool):
        return None
    if isinstance(value, str) and isinstance(operand, str):
        return (value > operand) - (value < operand)
    left, right = _number(value), _number(operand)
    return None if left is None or right is None else (left > right) - (left < right)


def _number(value: Any) -> float | None:
    """None for what is no number; NaN is none either, since it has no order."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except ValueError:
        return None
    except OverflowError:  # JSON has whole numbers of any size
        number = math.inf if isinstance(value, int) and value > 0 else -math.inf
    return None if math.isnan(number) else number
