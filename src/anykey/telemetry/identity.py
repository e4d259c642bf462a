"""Ids that join a caller's answer, its usage row and a log line."""

from __future__ import annotations

import os


def new_request_id() -> str:
    """``req_`` and 24 hex digits: the shape that Anthropic and OpenAI use, so that their SDKs show it."""
    return "req_" + os.urandom(12).hex()
