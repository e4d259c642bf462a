"""What an answer repeats of its request. The client's own words are copied as they stand in its body, never parsed."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Json

_UNSAID = msgspec.Raw()


class _Asked(msgspec.Struct):
    """The fields of a request that its answer repeats."""

    background: msgspec.Raw = _UNSAID
    conversation: msgspec.Raw = _UNSAID
    instructions: msgspec.Raw = _UNSAID
    max_output_tokens: msgspec.Raw = _UNSAID
    max_tool_calls: msgspec.Raw = _UNSAID
    metadata: msgspec.Raw = _UNSAID
    parallel_tool_calls: msgspec.Raw = _UNSAID
    previous_response_id: msgspec.Raw = _UNSAID
    prompt: msgspec.Raw = _UNSAID
    prompt_cache_key: msgspec.Raw = _UNSAID
    prompt_cache_options: msgspec.Raw = _UNSAID
    prompt_cache_retention: msgspec.Raw = _UNSAID
    reasoning: msgspec.Raw = _UNSAID
    safety_identifier: msgspec.Raw = _UNSAID
    store: msgspec.Raw = _UNSAID
    temperature: msgspec.Raw = _UNSAID
    text: msgspec.Raw = _UNSAID
    tool_choice: msgspec.Raw = _UNSAID
    tools: msgspec.Raw = _UNSAID
    top_logprobs: msgspec.Raw = _UNSAID
    top_p: msgspec.Raw = _UNSAID
    truncation: msgspec.Raw = _UNSAID
    user: msgspec.Raw = _UNSAID


DEFAULTS: Json = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What OpenAI tells of a request that does not say."""

ECHOED = frozenset(_Asked.__struct_fields__)
_PARTLY_SAID = ("reasoning", "text")
_ASKED = msgspec.json.Decoder(_Asked)
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def echo(body: bytes) -> bytes:
    """The members of a response object that repeat the request ``body``, without braces: ``"background":false,…``. A body that
    cannot be read, or none, is told by the defaults."""
    members: Json = dict(DEFAULTS)
    try:
        asked = _ASKED.decode(body) if body else _Asked()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        asked = _Asked()
    for name in _Asked.__struct_fields__:
        raw = bytes(getattr(asked, name)).strip()
        if raw and raw != b"null":
            members[name] = _spelled(name, raw)
    return msgspec.json.encode(members)[1:-1]


def _spelled(name: str, raw: bytes) -> Any:
    """``raw`` as an answer has it: a conversation may be given by its id alone, and of some objects only a part."""
    if name == "conversation" and raw.startswith(b'"'):
        return {"id": msgspec.Raw(raw)}
    if name in _PARTLY_SAID and raw.startswith(b"{"):
        return {**DEFAULTS[name], **_OBJECT.decode(raw)}
    return msgspec.Raw(_one_line(raw))


def _one_line(raw: bytes) -> bytes:
    """JSON without line ends, which would end an event too early."""
    return msgspec.json.format(raw, indent=-1) if b"\n" in raw or b"\r" in raw else raw
