"""The paths of the demo model, and whose errors and models the caller of a path understands.

Law: pure. A path leads to a wire that answers or to a count; what is answered is not known here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from anykey.demo import chat_wire, gemini_wire, messages_wire, responses_wire
from anykey.demo.fields import Object
from anykey.demo.prompt import Prompt
from anykey.demo.script import Performance

MODEL = "demo"
MODEL_LISTS = frozenset({"/v1/models", "/v1beta/models"})
MODEL_PATHS = frozenset(f"{path}/{MODEL}" for path in MODEL_LISTS)

_GEMINI_PATH = re.compile(r"/v1(?:beta)?/models/(.+):(generateContent|streamGenerateContent|countTokens)")


class Wire(Protocol):
    """What a wire module offers; the names are the same in each."""

    def read(self, body: Object, digest: str) -> Prompt: ...
    def reply(self, prompt: Prompt, performance: Performance) -> Object: ...
    def stream(self, prompt: Prompt, performance: Performance) -> Iterator[bytes]: ...


class Failure(Protocol):
    """The body of an HTTP error; each protocol has those of the arguments that it has a place for."""

    def __call__(self, status: int, message: str, request_id: str, code: str | None = None) -> Object: ...


class Action(NamedTuple):
    """What a POST does: `wire` answers, or `counting` does. `named` is what the path adds to the body."""

    wire: Wire | None = None
    counting: Callable[[Object, str], Object] | None = None
    named: Object | None = None


class Family(NamedTuple):
    """The protocols of one maker: their errors, the header of a request's id, the model and the list of models."""

    failure: Failure
    request_id: bytes
    model: Object
    models: Object


_ACTIONS: Mapping[str, Action] = {
    "/v1/chat/completions": Action(chat_wire),
    "/v1/responses": Action(responses_wire),
    "/v1/messages": Action(messages_wire),
    "/v1/responses/input_tokens": Action(counting=responses_wire.count),
    "/v1/messages/count_tokens": Action(counting=messages_wire.count),
}
_OPENAI_MODEL: Object = {"id": MODEL, "object": "model", "created": 1767225600, "owned_by": "anykey-demo"}
_ANTHROPIC_MODEL: Object = {
    "type": "model",
    "id": MODEL,
    "display_name": "Demo",
    "created_at": "2026-01-01T00:00:00Z",
}
_GOOGLE_MODEL: Object = {
    "name": f"models/{MODEL}",
    "version": "1",
    "displayName": "Demo",
    "supportedGenerationMethods": ["generateContent", "countTokens"],
}
_OPENAI = Family(chat_wire.failure, b"x-request-id", _OPENAI_MODEL, {"object": "list", "data": [_OPENAI_MODEL]})
_ANTHROPIC = Family(
    messages_wire.failure,
    b"request-id",
    _ANTHROPIC_MODEL,
    {"data": [_ANTHROPIC_MODEL], "has_more": False, "first_id": MODEL, "last_id": MODEL},
)
_GOOGLE = Family(gemini_wire.failure, b"x-request-id", _GOOGLE_MODEL, {"models": [_GOOGLE_MODEL]})


def action_at(path: str) -> Action | None:
    """What a POST to this path does, or None."""
    found = _GEMINI_PATH.fullmatch(path)
    if not found:
        return _ACTIONS.get(path)
    model, verb = found.groups()
    if verb == "countTokens":
        return Action(counting=gemini_wire.count, named={"model": model})
    return Action(gemini_wire, named={"model": model, "stream": verb == "streamGenerateContent"})


def family_of(path: str, headers: Mapping[bytes, bytes]) -> Family:
    """Whose protocols the caller of this path speaks."""
    if path.startswith("/v1/messages") or b"anthropic-version" in headers:
        return _ANTHROPIC
    if path.startswith("/v1beta/") or b"x-goog-api-key" in headers or _GEMINI_PATH.fullmatch(path):
        return _GOOGLE
    return _OPENAI
