"""Where each path leads, and whose errors its caller reads."""

import pytest

from anykey.demo import chat_wire, gemini_wire, messages_wire, responses_wire
from anykey.demo.routes import Wire, action_at, family_of


@pytest.mark.parametrize(
    ("path", "wire"),
    [
        ("/v1/chat/completions", chat_wire),
        ("/v1/responses", responses_wire),
        ("/v1/messages", messages_wire),
        ("/v1beta/models/demo:generateContent", gemini_wire),
        ("/v1/models/demo:generateContent", gemini_wire),
    ],
)
def test_each_protocol_has_its_path(path: str, wire: Wire) -> None:
    action = action_at(path)
    assert action
    assert (action.wire, action.counting) == (wire, None)


def test_the_path_of_gemini_names_the_model_and_the_form() -> None:
    streamed = action_at("/v1beta/models/any/name:streamGenerateContent")
    assert streamed
    assert streamed.named == {"model": "any/name", "stream": True}
    counted = action_at("/v1beta/models/demo:countTokens")
    assert counted
    assert (counted.wire, counted.counting) == (None, gemini_wire.count)


@pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models/demo:embedContent", "/v1/messages/batches", "/"])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert action_at(path) is None


def test_errors_are_those_of_the_callers_protocol() -> None:
    assert family_of("/v1/messages", {}).failure is messages_wire.failure
    assert family_of("/v1/models", {b"anthropic-version": b"x"}).failure is messages_wire.failure
    assert family_of("/v1/models", {b"x-goog-api-key": b"x"}).failure is gemini_wire.failure
    assert family_of("/v1/models/demo:countTokens", {}).failure is gemini_wire.failure
    assert family_of("/v1/responses", {}).failure is chat_wire.failure
