"""What was used: questions as an operator asks them, in words of his, and the most recent exchanges."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.keys import find_key
from anykey.storage.exchanges import UsageFilter, recent_exchanges
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_question import BY_METADATA, FOR_EVER_MS, UsageQuestion

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_SINCE = re.compile(r"(\d{1,6})([mhdw])")
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::([0-5]\d))?")
_OFFSET_HOURS_MAX = 14
NO_WORDS: Mapping[str, Sequence[str]] = {}


def usage_filter(home: Home, since: str, key: str | None = None, model: str | None = None) -> UsageFilter:
    """The exchanges of the last `since` (such as 30m, 24h, 7d, 4w, or `all`), of one key (see find_key), of one model.

    Raises AdministrationError for a period or a key that means nothing.
    """
    return UsageFilter(since_ms=begin_of(since), key_id=None if key is None else find_key(home, key).id, model=model)


def usage_question(
    home: Home,
    span_ms: tuple[int, int | None],
    *,
    by: Iterable[str] = (),
    where: Mapping[str, Sequence[str]] = NO_WORDS,
    metadata: Iterable[str] = (),
    offset_ms: int = 0,
) -> UsageQuestion:
    """The question about the calls of `span_ms` (Unix ms; the second does not count any more, None: no end), which have one of
    each word's values in `where` (see UsageQuestion; a key may be its name) and all the `name=value` pairs of `metadata`.

    Raises AdministrationError for a key or a pair that means nothing; words are checked when it is asked."""
    since, until = span_ms
    chosen = {name: tuple(values) for name, values in where.items() if values}
    if "key" in chosen:
        chosen["key"] = tuple(find_key(home, key).id for key in chosen["key"])
    pairs = [(BY_METADATA + name, (value,)) for name, value in map(_pair, metadata)]
    return UsageQuestion(
        by=tuple(dict.fromkeys(by)),
        where=(*chosen.items(), *pairs),
        since_ms=since,
        until_ms=FOR_EVER_MS if until is None else until,
        offset_ms=offset_ms,
    )


def recent(home: Home, limit: int, only: UsageFilter) -> list[ExchangeRow]:
    """The last `limit` exchanges, newest first."""
    return recent_exchanges(home.database, limit, only)


def begin_of(since: str) -> int:
    """When a period up to now began, Unix ms; 0 for `all`. Raises AdministrationError for what is no period."""
    if since == "all":
        return 0
    period = _SINCE.fullmatch(since)
    if period is None:
        raise AdministrationError("usage.bad_since", since=since)
    return int(time.time() * 1000) - int(period[1]) * _SECONDS[period[2]] * 1000


def offset_of(text: str) -> int:
    """How many milliseconds before UTC days begin there: `UTC`, `+08:00`, `-3`. Raises AdministrationError."""
    if text.upper() in ("UTC", "Z"):
        return 0
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) > _OFFSET_HOURS_MAX:
        raise AdministrationError("usage.bad_timezone", found=text[:40])
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return (-minutes if found[1] == "-" else minutes) * 60_000


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise AdministrationError("usage.bad_pair", pair=text[:80])
    return name, value
