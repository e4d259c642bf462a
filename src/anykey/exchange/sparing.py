"""What is kept of the calls of a key that is not logged: who called which model when, how much of it and for how much money."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.storage.records import ExchangeRow

OFF = "off"
UNKEPT: dict[str, Any] = {
    "losses": (),
    "loss_details": None,
    "trace_id": None,
    "scenario": None,
    "metadata": None,
    "route": None,
    "attempt_details": None,
}


def as_logged(row: ExchangeRow, level: str | None) -> ExchangeRow:
    """The row as a key of this logging level lets it be kept."""
    return msgspec.structs.replace(row, **UNKEPT) if level == OFF else row
