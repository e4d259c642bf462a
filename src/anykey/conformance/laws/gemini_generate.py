"""What clients of generateContent rely on.

A stream: each event is a whole answer with a piece of it; a candidate's last chunk says why it finished, and the last chunk of
all has the usage. There is no end mark.
"""

from __future__ import annotations

from typing import Any

from anykey.conformance.laws.inspection import Inspection, parsed
from anykey.conversation.parts import Json
from anykey.protocols.sse import SseEvent

STATUSES = (
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "ABORTED",
    "ALREADY_EXISTS",
    "RESOURCE_EXHAUSTED",
    "CANCELLED",
    "DATA_LOSS",
    "UNKNOWN",
    "INTERNAL",
    "UNIMPLEMENTED",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
)
_KINDS = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")


def check_answer(body: bytes) -> list[str]:
    """The breaches of a whole answer."""
    found = Inspection()
    value: Any = parsed(body)
    if found.hold(isinstance(value, dict), "the answer is no JSON object"):
        finished = _check_chunk(found, value, "")
        found.hold(bool(finished) or _is_blocked(value), "no candidate has a finishReason")
        _check_usage(found, value)
    return found.breaches


def check_stream(records: list[SseEvent]) -> list[str]:
    """The breaches of a streamed answer."""
    found = Inspection()
    if not found.hold(bool(records), "the stream holds no event"):
        return found.breaches
    chunks = [found.event(record, place) for place, record in enumerate(records)]
    finished: list[int] = []
    for place, chunk in enumerate(chunks):
        finished += _check_chunk(found, chunk, f"chunk {place}: ")
    found.hold(bool(finished) or any(map(_is_blocked, chunks)), "no candidate has a finishReason")
    found.hold(len(set(finished)) == len(finished), "a candidate finishes twice")
    found.hold(len({chunk.get("responseId") for chunk in chunks}) == 1, "the chunks have different responseIds")
    _check_usage(found, chunks[-1])
    return found.breaches


def check_failure(status: int, body: bytes) -> list[str]:
    """``{"error": {"code", "message", "status"}}``; the code is the HTTP status."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), f"the body of HTTP {status} is no JSON object"):
        return found.breaches
    error = found.object(value, "error")
    if error:
        found.hold(error.get("code") == status, f"error.code is {error.get('code')!r}, the HTTP status {status}")
        found.text(error, "message", "error.")
        found.among(error, "status", STATUSES, "error.")
    return found.breaches


def check_models(body: bytes) -> list[str]:
    """``{"models": [{"name": "models/…", "supportedGenerationMethods"}]}``."""
    found = Inspection()
    value: Any = parsed(body)
    if not found.hold(isinstance(value, dict), "the list is no JSON object"):
        return found.breaches
    for place, entry in found.objects(value, "models"):
        name = found.text(entry, "name", place)
        found.hold(name.startswith("models/"), f"{place}name does not begin with models/")
        methods = entry.get("supportedGenerationMethods")
        found.hold(isinstance(methods, list), f"{place}supportedGenerationMethods is no array")
    return found.breaches


def _is_blocked(chunk: Json) -> bool:
    """The prompt itself was refused, so there is no candidate."""
    feedback: Any = chunk.get("promptFeedback")
    return isinstance(feedback, dict) and "blockReason" in feedback


def _check_chunk(found: Inspection, chunk: Json, where: str) -> list[int]:
    """The candidates that finish in it."""
    found.text(chunk, "modelVersion", where)
    found.text(chunk, "responseId", where)
    finished: list[int] = []
    if "candidates" not in chunk and ("promptFeedback" in chunk or "usageMetadata" in chunk):
        return finished
    for place, candidate in found.objects(chunk, "candidates", where):
        if candidate.get("content") is not None:
            content = found.object(candidate, "content", place)
            if content:
                found.among(content, "role", ("model",), f"{place}content.")
            if content.get("parts") is not None:
                for at, part in found.objects(content, "parts", f"{place}content."):
                    _check_part(found, part, at)
        if candidate.get("finishReason") is not None:
            found.text(candidate, "finishReason", place)
            finished.append(int(candidate.get("index") or 0))
    return finished


def _check_part(found: Inspection, part: Json, where: str) -> None:
    kinds = [kind for kind in _KINDS if kind in part]
    found.hold(len(kinds) == 1 or "thoughtSignature" in part, f"{where} is of {len(kinds)} kinds")
    if "text" in part:
        found.hold(isinstance(part["text"], str), f"{where}text is no text")
    if "functionCall" in part:
        call = found.object(part, "functionCall", where)
        found.text(call, "name", f"{where}functionCall.")
        found.hold(isinstance(call.get("args", {}), dict), f"{where}functionCall.args is no object")


def _check_usage(found: Inspection, value: Json) -> None:
    usage = found.object(value, "usageMetadata")
    if usage:
        read = found.count(usage, "promptTokenCount", "usageMetadata.")
        total = found.count(usage, "totalTokenCount", "usageMetadata.")
        found.hold(total >= read, f"usageMetadata.totalTokenCount is {total}, less than {read}")
