"""Ids that join a caller's answer, its usage row and a log line."""

from __future__ import annotations

import os
import time


def new_request_id() -> str:
    """``req_`` and 24 hex digits: the shape that Anthropic and OpenAI use, so that their SDKs show it.

    The first half is the time in milliseconds: rows are kept by this id, and ids that grow are written to the end of the
    index instead of to a random page of it (25 us a row on a table of 400,000). The second half is random.
    """
    return f"req_{int(time.time() * 1000):012x}{os.urandom(6).hex()}"
