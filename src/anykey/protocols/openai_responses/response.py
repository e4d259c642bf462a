"""A whole answer, both ways: ``output`` is one choice, its items are the choice's parts.

What an answer repeats of its request is not read: it speaks of what was sent upstream, not of what our client asked. Nor is
``billing``, which tells who pays the upstream.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, FinishReason, GenerateResponse
from anykey.protocols.codec import Decoded, Encoded
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.compaction import summary_item
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.echo import ECHOED, echo
from anykey.protocols.openai_responses.errors import failure_in_answer
from anykey.protocols.openai_responses.extras import kept, write_extras
from anykey.protocols.openai_responses.ids import item_id, response_id, upstream_item_id
from anykey.protocols.openai_responses.output_items import decode_item, logprobs_of
from anykey.protocols.openai_responses.output_items_encoding import (
    COMPLETED,
    INCOMPLETE,
    annotations_of,
    call_item,
    call_type,
    message_item,
    reasoning_item,
    refusal_content,
    report_foreign,
    spelled_logprobs,
    text_content,
    whole_item,
    whole_type,
)
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of
from anykey.protocols.openai_responses.usage import decode_usage, encode_usage

_BOOKKEEPING = frozenset(
    {"id", "object", "created_at", "status", "error", "incomplete_details", "model", "output", "output_text", "usage"}
    | {"service_tier", "billing", "frequency_penalty", "presence_penalty", "include", "stream"}
)
UNREAD = _BOOKKEEPING | ECHOED
"""Fields of a response that its neutral answer does not keep, or keeps elsewhere."""

_REASONS: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_GROWING = frozenset({"message", "function_call", "custom_tool_call"})
"""Items that the model writes letter by letter, so that the last one may be cut."""
_UNFINISHED = frozenset({"queued", "in_progress", "cancelled"})
_INCOMPLETE_WORDS: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


def decode_response(body: bytes, _: Dialect) -> Decoded[GenerateResponse]:
    """The neutral answer. FailureError if the body is an error in the clothes of a success, or no answer at all."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unreadable("it is not JSON") from None
    failure = failure_in_answer(value)
    if failure is not None:
        raise FailureError(failure)
    try:
        return Decoded(_decode_answer(value), ())
    except FailureError as error:  # the reader takes a wrong type for the caller's fault
        raise unreadable(error.failure.message) from None


def unreadable(reason: str) -> FailureError:
    return FailureError(Failure("upstream_error", f"The provider sent an answer that cannot be read: {reason}"))


def _decode_answer(value: Any) -> GenerateResponse:
    fields = Fields(value)
    output = fields.array("output")
    if output is None:
        raise invalid("it holds no output")
    items = [entry for entry in output if is_object(entry)]
    parts = [part for item in items for part in decode_item(item)]
    logprobs = [value for item in items for value in logprobs_of(item)]
    choice = Choice(tuple(parts), read_finish(value, parts), logprobs={"content": logprobs} if logprobs else None)
    return GenerateResponse(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(choice,),
        usage=decode_usage(fields.any("usage")),
        created=created_at(value),
        service_tier=fields.text("service_tier"),
        extras=kept(answer_extras(value)),
    )


def created_at(value: Json) -> int | None:
    """Unix seconds; some servers give a fraction."""
    created: Any = value.get("created_at")
    return int(created) if isinstance(created, int | float) and 0 < created < 1e12 else None


def answer_extras(value: Json) -> Json:
    """What a response says of itself that has no neutral field."""
    return {key: item for key, item in value.items() if key not in UNREAD and item is not None}


def read_finish(response: Json, parts: list[Part]) -> Finish:
    """What ``status`` and ``incomplete_details`` mean beside ``parts``."""
    calls = any(isinstance(part, ToolCallPart) and part.kind != "hosted" for part in parts)
    refused = any(isinstance(part, RefusalPart) for part in parts)
    return finish_of(response, calls=calls, refused=refused)


def finish_of(response: Json, *, calls: bool, refused: bool) -> Finish:
    """As ``read_finish``; ``raw`` is the server's word where the neutral one does not say it."""
    status = text_of(response.get("status"))
    details: Any = response.get("incomplete_details")
    if status in _UNFINISHED:
        return Finish("other", status)
    if status == INCOMPLETE or (is_object(details) and details.get("reason")):
        word = text_of(details.get("reason")) if is_object(details) else None
        rest = {key: item for key, item in details.items() if key != "reason"} if is_object(details) else {}
        reason = _REASONS.get(word or "", "other")
        return Finish(reason, None if reason != "other" else word or INCOMPLETE, detail=rest or None)
    return Finish("tool_calls" if calls else "refusal" if refused else "stop")


class Ending(msgspec.Struct, frozen=True):
    """How an answer ends on the wire. ``item_status`` is that of the item it ended in."""

    status: str
    details: Json | None = None

    @property
    def item_status(self) -> str:
        return INCOMPLETE if self.status == INCOMPLETE else COMPLETED


def encode_finish(finish: Finish | None, *, refused: bool, log: LossLog) -> Ending:
    """Status and details of a finish. ``refused``: the answer holds a refusal, which says it by itself."""
    if finish is None:
        return Ending(COMPLETED)
    if finish.stop_sequence is not None:
        log.dropped("choices[0].stop_sequence", "Responses does not say which stop sequence was hit")
    if finish.reason == "other":
        return _encode_other(finish.raw, log)
    word = _INCOMPLETE_WORDS.get(finish.reason)
    if finish.reason in ("context_window", "pause"):
        log.approximated("choices[0].finish_reason", f"{finish.reason} is told as {word or COMPLETED}")
    own_detail = finish.detail if finish.reason in ("length", "content_filter") else None
    for key in finish.detail or () if own_detail is None else ():
        if key not in ("type", "explanation"):
            log.dropped(f"choices[0].stop_details.{key}", "Responses has no such field")
    if word is None or (finish.reason == "refusal" and refused):
        return Ending(COMPLETED)
    return Ending(INCOMPLETE, {"reason": word, **(own_detail or {})})


def _encode_other(raw: str | None, log: LossLog) -> Ending:
    if raw in _UNFINISHED:
        return Ending(raw or COMPLETED)
    if raw in ("max_messages", "steered", INCOMPLETE):
        return Ending(INCOMPLETE, {"reason": raw} if raw != INCOMPLETE else None)
    log.approximated("choices[0].finish_reason", f"{raw or 'an unknown end'} is told as {COMPLETED}")
    return Ending(COMPLETED)


def explanation(finish: Finish | None) -> str | None:
    """Why the model declined, where the provider says it beside the text."""
    return text_of((finish.detail or {}).get("explanation")) if finish and finish.reason == "refusal" else None


def encode_response(response: GenerateResponse, request: GenerateRequest | None = None, body: bytes = b"") -> Encoded:
    """The body a Responses client reads: ``body`` is its own request, whose parameters are repeated. ``created_at`` is 0 where
    nobody said when."""
    log = LossLog("response")
    identity = response_id(response.id, response.model, response.created, body)
    for choice in response.choices[1:]:
        log.dropped(f"choices[{choice.index}]", "there is one answer here")
    choice = response.choices[0] if response.choices else Choice(())
    writer = ItemWriter(identity, log)
    for index, part in enumerate(choice.parts):
        writer.add(part, f"choices[0].content[{index}]")
    ending = writer.end(choice)
    items = writer.items
    if request is not None and request.compact:
        for index, item in enumerate(items):
            if item["type"] != "message":
                log.dropped(f"output[{index}]", "a compaction holds nothing but text")
        items = [compaction(writer.texts, identity)]
    report_foreign(choice.extras, "choices[0]", log)
    head: Json = {
        "id": identity,
        "object": "response",
        "created_at": response.created or 0,
        "status": ending.status,
        "error": None,
        "incomplete_details": ending.details,
        "model": response.model or (request.model if request else ""),
        "output": items,
        "service_tier": response.service_tier,
        "usage": encode_usage(response.usage, log) if ending.status not in _UNFINISHED else None,
    }
    write_extras(head, response.extras, "", log)
    return Encoded(msgspec.json.encode(head)[:-1] + b"," + echo(body) + b"}", tuple(log.losses))


def compaction(texts: list[str], response: str) -> Json:
    """The item that the texts of an answer become."""
    return {"id": item_id("compaction", response, 0), **summary_item("".join(texts))}


class ItemWriter:
    """Makes the items of one answer out of its parts, in order: texts and refusals that follow each other are contents of one
    message, unless they come from different messages of an upstream of this protocol."""

    def __init__(self, response: str, log: LossLog) -> None:
        self._response = response
        self._log = log
        self._contents: list[Json] = []  # of the message that is open
        self._message: TextPart | RefusalPart | None = None
        self.items: list[Json] = []
        self.texts: list[str] = []
        self.refused = False

    def add(self, part: Part, path: str) -> None:
        """Take one part, or record that there is no place for it."""
        if not isinstance(part, OpaquePart):
            report_foreign(part.extras, path, self._log)
        match part:
            case TextPart() | RefusalPart():
                self._add_content(part, path)
            case ReasoningPart():
                self._close()
                self.items.append(reasoning_item(part, self._id("reasoning", part), path, self._log))
            case ToolCallPart(kind=kind) if kind != "hosted":
                self._close()
                self.items.append(call_item(part, self._id(call_type(part), part), COMPLETED, path, self._log))
            case _:
                self._close()
                item = whole_item(part, self._id(whole_type(part) or "", part), path, self._log)
                if item is not None:
                    self.items.append(item)

    def end(self, choice: Choice) -> Ending:
        """Close what is open; the answer's end is that of its last item."""
        reason = None if self.refused else explanation(choice.finish)
        if reason is not None:
            self._add_content(RefusalPart(reason), "")
        ending = encode_finish(choice.finish, refused=self.refused, log=self._log)
        self._close(ending.item_status)
        self._place_logprobs(choice.logprobs or {})
        last = self.items[-1] if self.items else {}
        if ending.status == INCOMPLETE and text_of(last.get("type")) in _GROWING and last.get("status") == COMPLETED:
            last["status"] = INCOMPLETE
        return ending

    def _id(self, kind: str, part: Part) -> str:
        found = None if isinstance(part, OpaquePart) else upstream_item_id(part.extras)
        return found or item_id(kind, self._response, len(self.items))

    def _add_content(self, part: TextPart | RefusalPart, path: str) -> None:
        before = self._message
        if before is not None and upstream_item_id(before.extras) != upstream_item_id(part.extras):
            self._close()
        if self._message is None:
            self._message = part
        if isinstance(part, RefusalPart):
            self.refused = True
            self._contents.append(refusal_content(part.text, part.extras))
            return
        self.texts.append(part.text)
        annotations = annotations_of(part.citations, len(part.text), path, self._log)
        self._contents.append(text_content(part.text, annotations, [], part.extras))

    def _close(self, status: str = COMPLETED) -> None:
        message = self._message
        if message is not None:
            self.items.append(message_item(self._contents, message.extras, self._id("message", message), status))
            self._message, self._contents = None, []

    def _place_logprobs(self, logprobs: Json) -> None:
        """Give each text the tokens it is made of."""
        entries = spelled_logprobs(list_of(logprobs.get("content")))
        contents = [c for item in self.items if item["type"] == "message" for c in item["content"]]
        texts = [content for content in contents if content.get("type") == "output_text"]
        for content in texts:
            length = 0
            while entries and (length < len(content["text"]) or content is texts[-1]):
                entry: Any = entries.pop(0)
                length += len(text_of(entry.get("token")) or "") if is_object(entry) else 0
                content["logprobs"].append(entry)
        for key, value in logprobs.items():
            if entries if key == "content" else value:
                self._log.dropped(f"choices[0].logprobs.{key}", "only texts have log probabilities here")
