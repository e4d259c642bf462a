"""Single calls, as an operator asks for them: which there were, and what became of one, try by try."""

import re

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.usage import usage_filter
from anykey.storage.attempts import AttemptRecord, read_text
from anykey.storage.exchanges import UsageFilter, find_exchange, recent_exchanges
from anykey.storage.records import ExchangeRow

_STATUS = re.compile(r"[1-5](\d\d|xx)")


def requests_filter(
    home: Home, since: str, *, key: str | None = None, model: str | None = None, status: str | None = None
) -> UsageFilter:
    """The calls of a period (see usage_filter) with this `status`: a number such as 429, or 4xx, 5xx.

    Raises AdministrationError for a period, a key or a status that means nothing.
    """
    only = usage_filter(home, since, key, model)
    if status is None:
        return only
    if not _STATUS.fullmatch(status.lower()):
        raise AdministrationError("requests.bad_status", status=status)
    low, high = (int(status.lower().replace("x", digit)) for digit in "09")
    return msgspec.structs.replace(only, statuses=(low, high))


def list_requests(home: Home, limit: int, only: UsageFilter) -> list[ExchangeRow]:
    """The last `limit` of these calls, newest first."""
    return recent_exchanges(home.database, limit, only)


def find_request(home: Home, request_id: str) -> ExchangeRow:
    """The call whose answer had this `x-anykey-request-id`. Raises AdministrationError where there is none."""
    found = find_exchange(home.database, request_id.strip())
    if found is None:
        raise AdministrationError("requests.not_found", id=request_id)
    return found


def row_fields(row: ExchangeRow) -> dict[str, object]:
    """The row's fields for a program: what is kept as JSON text is told as what it says."""
    fields = msgspec.structs.asdict(row)
    for name in ("metadata", "attempt_details"):
        if fields[name] is not None:
            fields[name] = msgspec.Raw(fields[name].encode())
    return fields


def attempts_of(row: ExchangeRow) -> list[AttemptRecord]:
    """Every try of the call in order, the skipped ones too. A call that its first try answered has that one."""
    recorded = read_text(row.attempt_details)
    if recorded or row.deployment is None:
        return recorded
    return [
        AttemptRecord(
            number=row.attempts,
            deployment=row.deployment,
            outcome="answered" if row.status < 400 else "failed",
            began_ms=0,
            took_ms=row.total_ms,
            protocol=row.upstream_protocol,
            status=row.status,
            failure=row.failure,
        )
    ]
