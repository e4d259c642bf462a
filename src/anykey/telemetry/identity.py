"""Ids that join a caller's answer, its usage row and a log line."""

from __future__ import annotations

import itertools
import os
import time

_numbers = itertools.count(int.from_bytes(os.urandom(5)))


def new_request_id() -> str:
    """``req_`` and 24 hex digits: the shape that Anthropic and OpenAI use, so that their SDKs show it.

    The first half is the time in milliseconds: rows are kept by this id, and ids that grow are written to the end of the
    index instead of to a random page of it (25 us a row on a table of 400,000). The second half counts on from a random
    number, one for each process: an id names a request, it keeps no secret.
    """
    return f"req_{int(time.time() * 1000):012x}{next(_numbers):012x}"
