"""A lawful generateContent answer and stream pass; each spoiled one is named."""

from typing import Any

import pytest

from anykey.conformance.laws.gemini_generate import check_answer, check_failure, check_models, check_stream
from tests.unit.conformance.laws.spoiling import GONE, body, changed, records

HEAD = {"modelVersion": "m", "responseId": "r"}
USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
CALL: dict[str, Any] = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}


def candidate(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"index": 0, "content": {"role": "model", "parts": list(parts)}, **more}


WHOLE: dict[str, Any] = {
    **HEAD,
    "candidates": [candidate({"text": "hm", "thought": True}, {"text": "hi"}, CALL, finishReason="STOP")],
    "usageMetadata": USAGE,
}
STREAM: list[Any] = [
    {**HEAD, "candidates": [candidate({"text": "hi"})]},
    {**HEAD, "candidates": [candidate(CALL)]},
    {**HEAD, "candidates": [{"index": 0, "finishReason": "STOP"}], "usageMetadata": USAGE},
]
ERROR = {"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}}
MODEL = {"name": "models/m", "supportedGenerationMethods": ["generateContent"]}


def test_lawful_answers() -> None:
    assert check_answer(body(WHOLE)) == []
    assert check_stream(records(STREAM)) == []
    assert check_failure(404, body(ERROR)) == []
    assert check_models(body({"models": [MODEL]})) == []


def test_a_blocked_prompt_has_no_candidate() -> None:
    blocked = {**HEAD, "promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USAGE}
    assert check_answer(body(blocked)) == []
    assert check_stream(records([blocked])) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("modelVersion", GONE),
        ("responseId", ""),
        ("candidates.0.content.role", "user"),
        ("candidates.0.content.parts.1", {}),
        ("candidates.0.content.parts.1", {"text": "a", "functionCall": {"name": "f"}}),
        ("candidates.0.content.parts.1.text", 7),
        ("candidates.0.content.parts.2.functionCall.name", ""),
        ("candidates.0.content.parts.2.functionCall.args", "{}"),
        ("candidates.0.finishReason", GONE),
        ("usageMetadata", GONE),
        ("usageMetadata.promptTokenCount", GONE),
        ("usageMetadata.totalTokenCount", 3),
    ],
)
def test_a_spoiled_answer_is_named(path: str, new: Any) -> None:
    assert len(check_answer(body(changed(WHOLE, path, new)))) == 1


@pytest.mark.parametrize(
    ("path", "new", "said"),
    [
        ("1.responseId", "other", "the chunks have different responseIds"),
        ("1.candidates.0.finishReason", "STOP", "a candidate finishes twice"),
        ("2.candidates.0.finishReason", GONE, "no candidate has a finishReason"),
        ("2.usageMetadata", GONE, "usageMetadata is no object"),
        ("0.modelVersion", GONE, "chunk 0: modelVersion"),
    ],
)
def test_a_spoiled_stream_is_named(path: str, new: Any, said: str) -> None:
    (breach,) = check_stream(records(changed(STREAM, path, new)))
    assert breach.startswith(said)


@pytest.mark.parametrize(
    ("path", "new"), [("error.code", 400), ("error.message", ""), ("error.status", "404"), ("error", "no")]
)
def test_a_spoiled_error_is_named(path: str, new: Any) -> None:
    assert len(check_failure(404, body(changed(ERROR, path, new)))) == 1
    assert check_failure(502, b"<html>") == ["the body of HTTP 502 is no JSON object"]


@pytest.mark.parametrize(("path", "new"), [("name", "m"), ("supportedGenerationMethods", GONE)])
def test_a_spoiled_list_is_named(path: str, new: Any) -> None:
    assert len(check_models(body({"models": [changed(MODEL, path, new)]}))) == 1
    assert check_models(b"[]") == ["the list is no JSON object"]
    assert check_stream([]) == ["the stream holds no event"]
    assert check_answer(b"7") == ["the answer is no JSON object"]
