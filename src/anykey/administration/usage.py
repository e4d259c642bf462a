"""What was used: totals and recent exchanges, as an operator asks for them."""

import re
import time
from collections.abc import Iterable

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.keys import find_key, list_keys
from anykey.storage.exchanges import Grouping, UsageFilter, UsageTotal, recent_exchanges, usage_totals
from anykey.storage.records import ExchangeRow

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_SINCE = re.compile(r"(\d{1,6})([mhdw])")


def usage_filter(
    home: Home, since: str, key: str | None = None, model: str | None = None, metadata: Iterable[str] = ()
) -> UsageFilter:
    """The exchanges of the last `since` (such as 30m, 24h, 7d, 4w, or `all`), of one key (see find_key), of one model, marked
    with each `name=value` of `metadata`.

    Raises AdministrationError for a period, a key or a pair that means nothing.
    """
    return UsageFilter(
        since_ms=0 if since == "all" else int(time.time() * 1000) - _period_ms(since),
        key_id=None if key is None else find_key(home, key).id,
        model=model,
        metadata=tuple(map(_pair, metadata)),
    )


def totals(home: Home, by: Grouping | str, only: UsageFilter) -> list[UsageTotal]:
    """Sums by model, key, client, provider, group, scenario, day, or `metadata.NAME`. A key is named `name (id)`."""
    found = usage_totals(home.database, by, only)
    if by != "key":
        return found
    names = {key.id: f"{key.name} ({key.id})" for key in list_keys(home)}
    return [msgspec.structs.replace(total, group=names.get(total.group, total.group)) for total in found]


def recent(home: Home, limit: int, only: UsageFilter) -> list[ExchangeRow]:
    """The last `limit` exchanges, newest first."""
    return recent_exchanges(home.database, limit, only)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise AdministrationError("usage.bad_pair", pair=text[:80])
    return name, value


def _period_ms(since: str) -> int:
    period = _SINCE.fullmatch(since)
    if period is None:
        raise AdministrationError("usage.bad_since", since=since)
    return int(period[1]) * _SECONDS[period[2]] * 1000
