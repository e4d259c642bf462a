"""The whole answer, both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import (
    Citation,
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.response import Choice, GenerateResponse
from anykey.protocols.anthropic_messages.errors import decode_failure
from anykey.protocols.anthropic_messages.extras import NAME, keep, put
from anykey.protocols.anthropic_messages.finish import decode_finish, encode_finish
from anykey.protocols.anthropic_messages.hosted import encode_citation, hosted_blocks
from anykey.protocols.anthropic_messages.messages_decoding import decode_block
from anykey.protocols.anthropic_messages.parts_encoding import tool_input
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.anthropic_messages.usage import decode_usage, encode_usage
from anykey.protocols.codec import Decoded, Encoded

_READ = ("type", "role", "content", "id", "model", "stop_reason", "stop_sequence", "stop_details", "usage")
MADE_MEDIUM = "[The model made a medium of the kind {} here, which cannot be shown.]"
AFTERWORD = "a thought that ends the answer would hide its text: Claude Code prints the last block and nothing else"
"""Seen with 2.1.329: `claude -p` prints an empty line when a thinking block of any kind comes after the text."""
_encode_json = msgspec.json.Encoder().encode


def decode_response(body: bytes) -> Decoded[GenerateResponse]:
    """The upstream's answer. FailureError: it is an error with a status of success, or it cannot be read."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable("it is not JSON") from None
    if not is_object(value):
        raise _unreadable("it is not an object")
    answer: Json = value
    if answer.get("error") is not None or answer.get("type") == "error":
        raise FailureError(decode_failure(200, (), body))
    content = answer.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not is_array(content):
        raise _unreadable("it has no content")
    try:
        parts = tuple(decode_block(block, f"content.{position}") for position, block in enumerate(content))
    except FailureError as error:
        raise _unreadable(error.failure.message) from None
    return Decoded(_answer(answer, parts), ())


def _answer(answer: Json, parts: tuple[Part, ...]) -> GenerateResponse:
    word = answer.get("stop_reason")
    finish, extras = None, {}
    if word is not None:
        called = any(isinstance(part, ToolCallPart) and part.kind != "hosted" for part in parts)
        finish, extras = decode_finish(word, answer.get("stop_sequence"), answer.get("stop_details"), called=called)
    return GenerateResponse(
        id=str(answer.get("id") or ""),
        model=str(answer.get("model") or ""),
        choices=(Choice(parts, finish, 0, None, extras),),
        usage=decode_usage(answer.get("usage")),
        extras=keep(unread_keys(answer)),
    )


def unread_keys(answer: Json) -> Json:
    """The keys of a message without a neutral field (``container``, ``context_management`` …)."""
    return {key: value for key, value in answer.items() if key not in _READ and value is not None}


def _unreadable(reason: str) -> FailureError:
    return FailureError(Failure("upstream_error", f"The provider sent an answer that cannot be read: {reason}"))


def encode_response(response: GenerateResponse) -> Encoded:
    """The body for a client of this protocol. Of several choices the first one is sent."""
    log = LossLog("response")
    choice = response.choices[0] if response.choices else Choice(())
    for further in response.choices[1:]:
        log.dropped(f"choices[{further.index}]", "there is one answer here")
    content: list[Json] = []
    end = _end_of_words(choice.parts)
    for position, part in enumerate(choice.parts):
        if position >= end and any(block["type"] == "text" for block in content):
            log.dropped(f"content[{position}].state", AFTERWORD)
        else:
            content += encode_answer_part(part, f"content[{position}]", log)
    if choice.logprobs is not None:
        log.dropped("logprobs", "this protocol has no log probabilities")
    refused = any(isinstance(part, RefusalPart) for part in choice.parts)
    body: Json = {"id": message_id(response.id), "type": "message", "role": "assistant", "model": response.model}
    body["content"] = content
    body |= encode_finish(choice.finish, choice.extras, log, refused=refused)
    body["usage"] = encode_usage(response.usage, log)
    report_answer(response.service_tier, log)
    put({}, choice.extras, "choices[0]", log)
    put(body, response.extras, "", log)
    return Encoded(_encode_json(body), tuple(log.losses))


def _end_of_words(parts: tuple[Part, ...]) -> int:
    """Where the sealed thoughts that end an answer begin. They have no place if it has text."""
    end = len(parts)
    while end and isinstance(last := parts[end - 1], ReasoningPart) and last.redacted:
        end -= 1
    return end


def report_answer(service_tier: str | None, log: LossLog) -> None:
    """Name what stands at the top of another protocol's answer and has no place here."""
    if service_tier is not None:
        log.dropped("service_tier", "this protocol tells the tier in its own words")


def message_id(origin: str) -> str:
    """``origin`` if it is an id of this protocol, else one made from it: the same answer always has the same id."""
    return origin if origin.startswith("msg_") else f"msg_{hashlib.sha256(origin.encode()).hexdigest()[:24]}"


def encode_answer_part(part: Part, path: str, log: LossLog) -> list[Json]:
    """The content blocks of an answer's part: one, two for a search of another provider, none with a Loss (or for an empty
    text, which is no block)."""
    if isinstance(part, ToolCallPart) and part.kind == "hosted":
        return hosted_blocks(part, path, log)
    block = _one_block(part, path, log)
    return [] if block is None else [block]


def _one_block(part: Part, path: str, log: LossLog) -> Json | None:
    match part:
        case TextPart():
            return _text_block(part, path, log)
        case ReasoningPart():
            return _thinking_block(part, path, log)
        case ToolCallPart():
            return _call_block(part, path, log)
        case RefusalPart():
            put({}, part.extras, path, log)
            return {"type": "text", "text": part.text} if part.text else None
        case OpaquePart(origin="anthropic_messages"):
            return part.value
        case OpaquePart():
            log.dropped(path, f"a {part.kind} block is known to {part.origin} only")
        case MediaPart():
            log.dropped(path, f"an answer of this protocol holds no {part.kind}; a note says that there was one")
            return {"type": "text", "text": MADE_MEDIUM.format(part.kind)}
        case ToolResultPart():
            log.dropped(path, "a tool result stands in no answer of this protocol")
    return None


def _text_block(part: TextPart, path: str, log: LossLog) -> Json | None:
    told = [wire for citation in part.citations if (wire := answer_citation(citation, path, log)) is not None]
    if not part.text and not told:
        put({}, part.extras, path, log)
        return None
    block: Json = {"type": "text", "text": part.text}
    if told:
        block["citations"] = told
    put(block, part.extras, path, log)
    return block


def answer_citation(citation: Citation, path: str, log: LossLog) -> Json | None:
    """A citation of an answer. One of another protocol tells its source, but not which words of the answer rest on it."""
    wire = encode_citation(citation)
    if wire is citation.raw:
        return wire
    kind = "dropped" if wire is None else "approximated"
    why = "only citations of an address can be told"
    if wire is not None:
        why = "told for the whole text, as a page that a search found"
    loss = Loss(kind, f"{path}.citations", why, "response")
    if loss not in log.losses:  # of all that are in one text, once is enough
        log.losses.append(loss)
    return wire


def _thinking_block(part: ReasoningPart, path: str, log: LossLog) -> Json | None:
    """Thinking that no signature seals is shown with an empty one; sent back, it is left out of the next request."""
    signature = own_state(part.state, path, log)
    if part.redacted:
        if signature is None:
            log.dropped(path, "there is nothing of it to show")
            return None
        block: Json = {"type": "redacted_thinking", "data": signature}
    else:
        if not part.text and signature is None:
            return None
        block = {"type": "thinking", "thinking": part.text, "signature": signature or ""}
    put(block, part.extras, path, log)
    return block


def own_state(state: OpaqueState | None, path: str, log: LossLog) -> str | None:
    """The signature, if this protocol made it."""
    if state is None or state.origin == NAME:
        return None if state is None else state.data
    log.dropped(f"{path}.state", f"reasoning state of {state.origin} has no place here")
    return None


def _call_block(part: ToolCallPart, path: str, log: LossLog) -> Json:
    value, legal = tool_input(part)
    if not legal:
        log.approximated(f"{path}.arguments", 'no JSON object, so sent as {"_raw": text}')
    if part.kind == "custom":
        log.emulated(path, 'the text stands as {"input": text}')
    block: Json = {"type": "tool_use", "id": part.id, "name": part.name, "input": value}
    put(block, part.extras, path, log)
    return block
