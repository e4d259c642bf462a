"""What the errors of every protocol have in common: how long to wait, what not to tell, and the headers of a refusal.

An upstream's trouble with the gateway's own account (a refused credential, an empty balance) is the operator's business: the
client is told that much and no more.
"""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import Any

from anykey.conversation.failures import Failure, FailureKind
from anykey.conversation.parts import Json
from anykey.protocols.codec import Headers, header

_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")

ACCOUNT_FAULTS: dict[FailureKind, str] = {
    "upstream_refused_credential": "The gateway's credential for this provider was refused",
    "quota_exhausted": "The gateway's account at this provider has no quota left",
}
"""What a client is told instead of the upstream's own words."""


def account_fault(kind: FailureKind, status: int | None) -> str | None:
    """The message for a fault of the gateway's own account, None for any other kind."""
    message = ACCOUNT_FAULTS.get(kind)
    if message is None:
        return None
    return f"{message} (HTTP {status})." if status and status >= 400 else f"{message}."


def retry_after(headers: Headers, detail: Json | None) -> float | None:
    """Seconds to wait: ``retry-after-ms``, ``retry-after`` as seconds or as a date beside ``date`` (no clock of ours is read),
    or the ``retryDelay`` of a Google error's details (``{"@type": "…RetryInfo", "retryDelay": "48s"}``)."""
    milliseconds = _number(header(headers, b"retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = header(headers, b"retry-after")
    if value is None:
        return _retry_delay(detail)
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, header(headers, b"date"))


def refusal_headers(
    failure: Failure, id_header: bytes, request_id: str, *, permanent: bool
) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of an error reply. ``permanent``: a client would only repeat the call in vain, and is told so."""
    identity = request_id.encode("latin-1", "replace")
    headers = [(b"content-type", b"application/json"), (id_header, identity), (b"x-anykey-request-id", identity)]
    if failure.retry_after_s is not None:
        headers.append((b"retry-after", str(math.ceil(failure.retry_after_s)).encode()))
    if failure.should_retry is False or permanent:
        headers.append((b"x-should-retry", b"false"))
    elif failure.should_retry:
        headers.append((b"x-should-retry", b"true"))
    return tuple(headers)


def _number(value: bytes | None) -> float | None:
    try:
        number = float(value or b"")
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None


def _seconds_until(value: bytes, now: bytes | None) -> float | None:
    try:
        then, since = (parsedate_to_datetime((text or b"").decode("latin-1")) for text in (value, now))
        return max((then - since).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _retry_delay(detail: Json | None) -> float | None:
    details: Any = (detail or {}).get("details")
    for entry in details if isinstance(details, list) else ():  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        delay: Any = entry.get("retryDelay") if isinstance(entry, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        match = _DELAY.fullmatch(delay) if isinstance(delay, str) else None
        if match:
            return float(match[1])
    return None
