"""What can be asked about usage, in words, and each word in SQL: over single calls, or over sums of them.

Law: a value that came from outside is always a parameter; what stands in a statement is ours.
"""

import msgspec

from anykey.storage.database import Dialect
from anykey.storage.usage_columns import OF_CALL
from anykey.storage.usage_late import HOUR_MS
from anykey.storage.usage_rollup import DAY_MS

BY_METADATA = "metadata."
"""Before the name of a pair that calls are marked with."""
COLUMNS: dict[str, str] = {
    "key": "key_id",
    "client": "client",
    "model": "model_asked",
    "answered": "model_answered",
    "provider": "provider",
    "deployment": "deployment",
    "group": "group_name",
    "team": "team",
    "member": "member_id",
    "organisation": "organisation",
    "scenario": "scenario",
    "failure": "failure",
    "status": "status_class",
}
"""What calls can be grouped and chosen by, and its column."""
PERIODS_MS = {"minute": 60_000, "hour": HOUR_MS, "day": DAY_MS}
"""The periods they can be grouped by; the value of a group is its first moment, Unix ms."""
FOR_EVER_MS = 2**62

Where = tuple[tuple[str, tuple[str, ...]], ...]


class UsageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that began from `since_ms` up to, but not including, `until_ms` (Unix ms), added up for each combination of `by`:
    names of COLUMNS, `metadata.NAME`, `day`, `hour`, `minute`.

    `where`: each names what a call must have one of: the same names, and `status` (`4xx`, or one such as `429`). `offset_ms`: how
    much earlier than UTC days begin (east is positive). `full`: latencies, failures by kind and tokens by price too."""

    by: tuple[str, ...] = ()
    where: Where = ()
    since_ms: int = 0
    until_ms: int = FOR_EVER_MS
    offset_ms: int = 0
    full: bool = False


def grouping(name: str, question: UsageQuestion, dialect: Dialect, values: list[object], *, calls: bool) -> str:
    """The expression for what `name` means, over `calls` or sums; its parameters go to the end of `values`."""
    if name in PERIODS_MS:
        length, offset = PERIODS_MS[name], question.offset_ms
        return f"(at + {offset}) / {length} * {length} - {offset}"
    if name.startswith(BY_METADATA):
        values.append(name.removeprefix(BY_METADATA))
        if dialect == "postgresql":
            return "CAST(metadata AS json) ->> CAST(? AS text)"
        return "(SELECT value FROM json_each(exchanges.metadata) WHERE key = ?)"
    return OF_CALL[COLUMNS[name]] if calls else COLUMNS[name]


def conditions(question: UsageQuestion, dialect: Dialect, values: list[object], *, calls: bool) -> str:
    """` AND (…)` for each part of `where`."""
    found: list[str] = []
    for name, wanted in question.where:
        if name == "status":
            found += [" OR ".join(_status(one, values, calls=calls) for one in wanted) or "1 = 0"]
        elif wanted:
            expression = grouping(name, question, dialect, values, calls=calls)
            values += wanted
            found.append(f"{expression} IN ({', '.join('?' * len(wanted))})")
        else:
            found.append("1 = 0")
    return "".join(f" AND ({one})" for one in found)


def _status(wanted: str, values: list[object], *, calls: bool) -> str:
    low, high = (int(wanted.replace("x", digit)) for digit in "09")
    if not calls:  # only asked for whole classes
        values.append(low // 100)
        return "status_class = ?"
    values += (low, high)
    return "status BETWEEN ? AND ?"
