"""Errors and model lists as clients of OpenAI's two protocols read them."""

from __future__ import annotations

from typing import Any

from anykey.conformance.laws.inspection import Inspection, parsed


def check_failure(status: int, body: bytes) -> list[str]:
    """``{"error": {"message", "type", "param", "code"}}``; the last two may be null."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), f"the body of HTTP {status} is no JSON object"):
        return found.breaches
    error = found.object(value, "error")
    if error:
        found.text(error, "message", "error.")
        found.text(error, "type", "error.")
        for key in ("param", "code"):
            found.hold(isinstance(error.get(key), str | int | None), f"error.{key} is neither text nor null")
    return found.breaches


def check_models(body: bytes) -> list[str]:
    """``{"object": "list", "data": [{"id", "object": "model", "created", "owned_by"}]}``."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), "the list is no JSON object"):
        return found.breaches
    found.among(value, "object", ("list",))
    for place, entry in found.objects(value, "data"):
        found.text(entry, "id", place)
        found.among(entry, "object", ("model",), place)
        found.count(entry, "created", place)
        found.text(entry, "owned_by", place)
    return found.breaches
