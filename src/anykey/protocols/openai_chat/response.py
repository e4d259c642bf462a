"""A whole answer, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, FinishReason, GenerateResponse
from anykey.protocols.codec import Decoded, Encoded
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.citations import encode_citation
from anykey.protocols.openai_chat.content import data_uri
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.errors import failure_in_answer
from anykey.protocols.openai_chat.extras import NAME, kept, synthetic_id, write_extras
from anykey.protocols.openai_chat.messages_decoding import read_assistant
from anykey.protocols.openai_chat.messages_encoding import encode_audio
from anykey.protocols.openai_chat.reasoning import encode_detail, needs_details
from anykey.protocols.openai_chat.sealed import KEY as SEALED
from anykey.protocols.openai_chat.sealed import sealed_in, without_sealed
from anykey.protocols.openai_chat.signatures import call_state, sign_call
from anykey.protocols.openai_chat.tools import OPAQUE_CALL, encode_tool_call
from anykey.protocols.openai_chat.usage import decode_usage, encode_usage, find_usage

REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_length": "context_window",
    "safety": "content_filter",
    "sensitive": "content_filter",
}
"""Servers' words for the end, lower-case, and what they mean."""

_WORDS: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_window": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "other": "stop",
}
_OFFICIAL = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})


def decode_response(body: bytes, dialect: Dialect) -> Decoded[GenerateResponse]:
    """The neutral answer. FailureError if the body is an error in the clothes of a success, or no answer at all."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable("it is not JSON") from None
    failure = failure_in_answer(value)
    if failure is not None:
        raise FailureError(failure)
    try:
        return Decoded(_decode_answer(value, dialect), ())
    except FailureError as error:  # the reader takes a wrong type for the caller's fault
        raise _unreadable(error.failure.message) from None


def _unreadable(reason: str) -> FailureError:
    return FailureError(Failure("upstream_error", f"The provider sent an answer that cannot be read: {reason}"))


def _decode_answer(value: Any, dialect: Dialect) -> GenerateResponse:
    fields = Fields(value)
    choices = fields.array("choices")
    if choices is None:
        raise invalid("it holds no choices")
    usage = decode_usage(find_usage(value), dialect)
    for key in ("usage", "object"):
        fields.any(key)
    return GenerateResponse(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=tuple(_decode_choice(choice, index) for index, choice in enumerate(choices)),
        usage=usage,
        created=fields.integer("created"),
        service_tier=fields.text("service_tier"),
        extras=kept(fields.rest()),
    )


def _decode_choice(value: Any, position: int) -> Choice:
    fields = Fields(value, f"choices[{position}]")
    message = fields.nested("message") or Fields({}, fields.at("message"))
    parts = read_assistant(message)
    message.any("role")
    finish = read_finish(fields.text("finish_reason"), parts)
    index, logprobs = fields.integer("index"), fields.object("logprobs")
    rest = fields.rest()
    if message_rest := message.rest():
        rest["message"] = message_rest
    return Choice(tuple(parts), finish, position if index is None else index, logprobs, kept(rest))


def read_finish(word: str | None, parts: list[Part]) -> Finish | None:
    """What a finish reason means beside ``parts``. Calls decide over the word: some servers say ``stop`` beside them."""
    calls = any(isinstance(part, ToolCallPart | OpaquePart) and _is_call(part) for part in parts)
    refused = any(isinstance(part, RefusalPart) for part in parts)
    return finish_of(word, calls=calls, refused=refused)


def _is_call(part: ToolCallPart | OpaquePart) -> bool:
    return part.kind != "hosted" if isinstance(part, ToolCallPart) else part.kind.startswith(OPAQUE_CALL)


def finish_of(word: str | None, *, calls: bool, refused: bool) -> Finish | None:
    """The neutral finish; ``raw`` is the server's word where the neutral one does not say it."""
    reason = REASONS.get(word.lower(), "other") if word else None
    if calls and reason in (None, "stop", "other"):
        reason = "tool_calls"
    elif refused and reason == "stop":
        reason = "refusal"
    if reason is None:
        return None
    return Finish(reason, None if word == reason or not word else word)


def finish_word(finish: Finish | None, *, calls: bool, legacy: bool) -> str:
    """The official word a client reads. Beside calls it is never ``stop``: clients would not run them."""
    if finish is None:
        word = "stop"
    elif finish.raw in _OFFICIAL:
        word = finish.raw
    else:
        word = _WORDS[finish.reason]
    if calls and word in ("stop", "tool_calls", "function_call"):
        return "function_call" if legacy else "tool_calls"
    return word


def report_finish(finish: Finish, path: str, log: LossLog) -> None:
    """What the official word does not say."""
    if finish.reason in ("context_window", "pause", "other") and finish.raw not in _OFFICIAL:
        log.approximated(f"{path}.finish_reason", f"{finish.raw or finish.reason} is told as {_WORDS[finish.reason]}")
    if finish.stop_sequence is not None:
        log.dropped(f"{path}.stop_sequence", "Chat Completions does not say which stop sequence was hit")
    for key in finish.detail or ():
        if key not in ("type", "explanation") and finish.detail and finish.detail[key] is not None:
            log.dropped(f"{path}.stop_details.{key}", "Chat Completions has no such field")


def explanation(finish: Finish | None) -> str | None:
    """Why the model declined, where the provider says it beside the text."""
    text: Any = (finish.detail or {}).get("explanation") if finish else None
    return text if isinstance(text, str) and text else None


def encode_response(response: GenerateResponse) -> Encoded:
    """The body a Chat client reads. ``created`` is 0 where nobody said when."""
    log = LossLog("response")
    body: Json = {
        "id": response.id or synthetic_id("chatcmpl-", response.model, response.choices),
        "object": "chat.completion",
        "created": response.created or 0,
        "model": response.model,
        "choices": [_encode_choice(choice, f"choices[{n}]", log) for n, choice in enumerate(response.choices)],
    }
    if response.usage is not None:
        body["usage"] = encode_usage(response.usage, log)
    if response.service_tier is not None:
        body["service_tier"] = response.service_tier
    if response.extras:
        write_extras(body, response.extras, "", log)
    return Encoded(msgspec.json.encode(body), tuple(log.losses))


def _encode_choice(choice: Choice, path: str, log: LossLog) -> Json:
    writer = _AnswerWriter(path, log)
    for index, part in enumerate(choice.parts):
        writer.add(part, f"{path}.content[{index}]")
    message = writer.message(choice.finish)
    own = choice.extras.get(NAME, {})
    for key, value in own.get("message", {}).items():
        message.setdefault(key, value)
    out: Json = {
        "index": choice.index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": finish_word(choice.finish, calls=writer.has_calls, legacy=writer.legacy is not None),
    }
    if choice.finish is not None:
        report_finish(choice.finish, path, log)
    write_extras(out, choice.extras, path, log)
    return out


class _AnswerWriter:
    """Sorts the parts of an answer into the fields of ``message``."""

    def __init__(self, path: str, log: LossLog) -> None:
        self._path = path
        self._log = log
        self._text: list[str] = []
        self._length = 0
        self._lists: dict[str, list[Json]] = {"annotations": [], "images": [], "tool_calls": []}
        self._reasoning: list[ReasoningPart] = []
        self._details: list[Json] = []
        self._signature: str | None = None  # belongs on the next call
        self._refusal: list[str] = []
        self._audio: Json | None = None
        self.legacy: Json | None = None
        self.has_calls = False

    def add(self, part: Part, path: str) -> None:
        """Take one part, or record that Chat has no place for it."""
        match part:
            case TextPart():
                self._add_text(part, path)
            case ReasoningPart():
                self._reasoning.append(part)
                self._signature = call_state(part) or self._signature
                report_foreign(part, path, self._log)
            case ToolCallPart(kind="hosted"):
                self._log.dropped(path, f"the call of {part.name} was run by its own provider")
            case ToolCallPart():
                self._add_call(part, path)
            case RefusalPart():
                self._refusal.append(part.text)
                report_foreign(part, path, self._log)
            case MediaPart(kind="image") if part.file_id is None:
                self._lists["images"].append(encode_image(part))
                report_foreign(part, path, self._log)
            case MediaPart(kind="audio") if NAME in part.extras or part.file_id is not None:
                self._audio = encode_audio(part)
            case OpaquePart(origin=origin) if origin == NAME:
                self._add_opaque(part, path)
            case _:
                kind = part.kind if isinstance(part, OpaquePart | MediaPart) else "tool result"
                self._log.dropped(path, f"an answer in Chat Completions has no place for a {kind} block")

    def _add_text(self, part: TextPart, path: str) -> None:
        if self.has_calls:
            self._log.approximated(path, "text after a call is told before it")
        for index, citation in enumerate(part.citations):
            annotation = encode_citation(citation, self._length, len(part.text))
            if annotation is None:
                self._log.dropped(f"{path}.citations[{index}]", "only citations of an address can be told")
            else:
                self._lists["annotations"].append(annotation)
        self._text.append(part.text)
        self._length += len(part.text)
        report_foreign(part, path, self._log)

    def _add_call(self, part: ToolCallPart, path: str) -> None:
        self.has_calls = True
        entry = encode_tool_call(part, part.name)
        if part.kind == "legacy_function":
            self.legacy = entry
        else:
            sign_call(entry, self._signature)
            self._signature = None
            self._lists["tool_calls"].append(entry)
        report_foreign(part, path, self._log)

    def _add_opaque(self, part: OpaquePart, path: str) -> None:
        if part.kind.startswith(OPAQUE_CALL):
            self.has_calls = True
            self._lists["tool_calls"].append(part.value)
        elif part.kind.startswith("reasoning_details."):
            self._details.append(part.value)
        else:
            self._log.dropped(path, f"a client reads text, not a {part.kind} block")

    def message(self, finish: Finish | None) -> Json:
        """The finished ``message``."""
        refusal = "".join(self._refusal)
        if not refusal and finish is not None and finish.reason == "refusal":
            refusal = explanation(finish) or ""
        message: Json = {"role": "assistant", "content": "".join(self._text) or None, "refusal": refusal or None}
        if message["content"] is None and not (self.has_calls or refusal):
            message["content"] = ""
        thought = "".join(part.text for part in self._reasoning)
        if thought:
            message["reasoning_content"] = thought
        if needs_details(self._reasoning) or self._details:
            details = [encode_detail(without_sealed(part), index) for index, part in enumerate(self._reasoning)]
            message["reasoning_details"] = [*details, *self._details]
        sealed = sealed_in(self._reasoning)
        if sealed is not None:
            message[SEALED] = sealed
        message.update((key, values) for key, values in self._lists.items() if values)
        if self._audio is not None:
            message["audio"] = self._audio
        if self.legacy is not None:
            message["function_call"] = self.legacy
        return message


def encode_image(part: MediaPart) -> Json:
    """An entry of ``message.images``."""
    return {"type": "image_url", "image_url": {"url": part.url or data_uri(part)}, **part.extras.get(NAME, {})}


def report_foreign(
    part: TextPart | ReasoningPart | ToolCallPart | RefusalPart | MediaPart, path: str, log: LossLog
) -> None:
    """A Loss for each key of another protocol's that ``part`` carries."""
    if part.extras:
        write_extras({}, part.extras, path, log)
