"""A streamed answer, neutral to wire: legal events in, chunks out, ended by finish reason, usage (if asked for) and ``[DONE]``.

The frames of ordinary deltas are a constant prefix, the text as JSON, a constant suffix.
"""

from __future__ import annotations

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import (
    Citation,
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.protocols.openai_chat.errors import encode_stream_failure
from anykey.protocols.openai_chat.extras import NAME, drop_extras, synthetic_id, write_extras
from anykey.protocols.openai_chat.reasoning import encode_detail, encode_format
from anykey.protocols.openai_chat.response import (
    encode_citation,
    encode_image,
    explanation,
    finish_word,
    report_finish,
    report_foreign,
)
from anykey.protocols.openai_chat.sealed import KEY as SEALED
from anykey.protocols.openai_chat.sealed import is_sealed
from anykey.protocols.openai_chat.signatures import call_state, sign_call
from anykey.protocols.openai_chat.tools import encode_tool_call
from anykey.protocols.openai_chat.usage import encode_usage

HEARTBEAT = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode
_SUFFIX = b'},"finish_reason":null}]}\n\n'
_CALL_SUFFIX = b'}}]},"finish_reason":null}]}\n\n'


class _ChoiceState:
    """One choice on its way out: the constant bytes of its frames and what was told of it."""

    __slots__ = (
        "calls",
        "citations",
        "content",
        "details",
        "index",
        "legacy",
        "length",
        "reasoning",
        "refused",
        "signature",
        "starts",
        "states",
    )

    def __init__(self, index: int, head: bytes) -> None:
        self.index = index
        prefix = head + b'"choices":[{"index":%d,"delta":{' % index
        self.content = prefix + b'"content":'
        self.reasoning = prefix + b'"reasoning_content":'
        self.calls: dict[int, _CallState] = {}  # by part
        self.citations: dict[int, list[Citation]] = {}
        self.starts: dict[int, int] = {}  # by text part: where it begins in the content
        self.signature: str | None = None  # belongs on the next call
        self.states: dict[int, int] = {}  # by reasoning part: its position in reasoning_details
        self.length = 0
        self.details = 0
        self.legacy = False
        self.refused = False


class _CallState:
    """A call on its way out. ``prefix``: constant bytes before a fragment, None for a call that is not told."""

    __slots__ = ("empty", "position", "prefix", "suffix")

    def __init__(self, position: int, prefix: bytes | None, suffix: bytes) -> None:
        self.position = position
        self.prefix = prefix
        self.suffix = suffix
        self.empty = True


class ChatStreamEncoder:
    """One answer's encoder for one client. ``losses``: what a Chat stream has no place for."""

    def __init__(self, request: GenerateRequest) -> None:
        self._wants_usage = bool(request.include_usage)
        self._model = request.model
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._head = b""
        self._choices: dict[int, _ChoiceState] = {}
        self._usage: Usage | None = None
        self._over = False

    def heartbeat(self) -> bytes:
        """A comment: the only keep-alive that every Chat client accepts."""
        return HEARTBEAT

    def feed(self, events: list[ev.StreamEvent]) -> bytes:
        """The chunks for ``events``; nothing after the end."""
        if len(events) == 1:
            return self._one(events[0])
        return b"".join([self._one(event) for event in events])

    def _one(self, event: ev.StreamEvent) -> bytes:
        if type(event) is ev.TextDelta:
            state = self._choices[event.choice]
            state.length += len(event.text)
            return state.content + _encode(event.text) + _SUFFIX
        if type(event) is ev.ReasoningDelta:
            return self._choices[event.choice].reasoning + _encode(event.text) + _SUFFIX
        if self._over:
            return b""
        return self._rest(event)

    def _rest(self, event: ev.StreamEvent) -> bytes:
        match event:
            case ev.ArgumentsDelta():
                return self._fragment(self._choices[event.choice].calls[event.index], event.fragment)
            case ev.PartStarted():
                return self._start_part(event)
            case ev.PartFinished():
                return self._finish_part(event)
            case ev.StateDelta() | ev.CitationAdded() | ev.RefusalDelta() | ev.LogprobsAdded():
                return self._addition(event)
            case ev.ChoiceFinished():
                return self._finish_choice(event)
            case ev.Heartbeat():
                return HEARTBEAT
            case ev.OpaqueEvent():
                return self._opaque(event)
            case _:
                return self._whole(event)

    def _whole(self, event: ev.StreamEvent) -> bytes:
        """Events of the answer as a whole."""
        match event:
            case ev.Started():
                self._begin(event)
            case ev.UsageReported():
                self._usage = event.usage
            case ev.Ended():
                self._over = True
                return self._end(event)
            case ev.Broke():
                self._over = True
                return encode_stream_failure(event.failure, "")
            case _:
                pass
        return b""

    def _begin(self, event: ev.Started) -> None:
        head: Json = {
            "id": event.id or synthetic_id("chatcmpl-", event.model, event.created),
            "object": "chat.completion.chunk",
            "created": event.created or 0,
            "model": event.model or self._model,
        }
        if event.service_tier is not None:
            head["service_tier"] = event.service_tier
        if event.extras:
            write_extras(head, event.extras, "", self._log)
        self._usage = event.usage
        self._head = b"data: " + _encode(head)[:-1] + b","

    def _state(self, choice: int) -> tuple[_ChoiceState, bytes]:
        """The choice's state, and its first chunk (the role) when it only now begins."""
        state = self._choices.get(choice)
        if state is not None:
            return state, b""
        state = self._choices[choice] = _ChoiceState(choice, self._head)
        return state, self._delta(choice, {"role": "assistant", "content": ""})

    def _delta(self, choice: int, delta: Json) -> bytes:
        return self._frame({"index": choice, "delta": delta, "finish_reason": None})

    def _frame(self, choice: Json) -> bytes:
        return self._head + b'"choices":[' + _encode(choice) + b"]}\n\n"

    # --- parts --------------------------------------------------------------------------------------------------------

    def _start_part(self, event: ev.PartStarted) -> bytes:
        state, opening = self._state(event.choice)
        part, path = event.part, f"choices[{event.choice}].content[{event.index}]"
        delta = self._opening_delta(part, event.index, state, path)
        if part.extras if not isinstance(part, OpaquePart) else False:
            report_foreign(part, path, self._log)  # pyright: ignore[reportArgumentType] - answers hold no tool results
        return opening + self._delta(event.choice, delta) if delta else opening

    def _opening_delta(self, part: Part, index: int, state: _ChoiceState, path: str) -> Json | None:
        """What is told when a part begins; a part that comes whole is told here."""
        match part:
            case TextPart():
                state.starts[index] = state.length
                state.citations[index] = list(part.citations)
                state.length += len(part.text)
                if any(call.prefix is not None for call in state.calls.values()):
                    self._log.approximated(path, "text after a call is told beside it")
                return {"content": part.text} if part.text else None
            case ReasoningPart():
                return self._open_reasoning(part, index, state)
            case ToolCallPart():
                return self._open_call(part, index, state, path)
            case RefusalPart():
                state.refused = True
                return {"refusal": part.text} if part.text else None
            case MediaPart(kind="image") if part.file_id is None:
                return {"images": [encode_image(part)]}
            case OpaquePart(origin=origin, kind=kind) if origin == NAME and kind.startswith("tool_calls."):
                return {"tool_calls": [part.value]}
            case OpaquePart(origin=origin, kind=kind) if origin == NAME and kind.startswith("reasoning_details."):
                return {"reasoning_details": [part.value]}
            case _:
                kind = part.kind if isinstance(part, OpaquePart | MediaPart) else "tool result"
                self._log.dropped(path, f"an answer in Chat Completions has no place for a {kind} block")
                return None

    def _open_reasoning(self, part: ReasoningPart, index: int, state: _ChoiceState) -> Json | None:
        delta: Json = {"reasoning_content": part.text} if part.text else {}
        if part.state is not None and is_sealed(part.state):
            delta[SEALED] = part.state.data
        elif part.state is not None or NAME in part.extras:
            delta["reasoning_details"] = [encode_detail(part, state.details)]
        state.signature = call_state(part) or state.signature
        state.states[index] = state.details
        state.details += 1
        return delta or None

    def _open_call(self, part: ToolCallPart, index: int, state: _ChoiceState, path: str) -> Json | None:
        if part.kind == "hosted":
            self._log.dropped(path, f"the call of {part.name} was run by its own provider")
            state.calls[index] = _CallState(-1, None, b"")
            return None
        head = self._head + b'"choices":[{"index":%d,"delta":{' % state.index
        entry = encode_tool_call(part, part.name)
        if part.kind == "legacy_function":
            state.legacy = True
            call = _CallState(0, head + b'"function_call":{"arguments":', b"}" + _SUFFIX)
            delta: Json = {"function_call": entry}
        else:
            position = sum(known.position >= 0 for known in state.calls.values())
            inner = (b"custom", b"input") if part.kind == "custom" else (b"function", b"arguments")
            call = _CallState(
                position, head + b'"tool_calls":[{"index":%d,"%b":{"%b":' % (position, *inner), _CALL_SUFFIX
            )
            if part.kind == "function":
                entry["function"]["arguments"] = part.arguments
            sign_call(entry, state.signature)
            state.signature = None
            delta = {"tool_calls": [{"index": position, **entry}]}
        call.empty = not part.arguments
        state.calls[index] = call
        return delta

    def _fragment(self, call: _CallState, fragment: str) -> bytes:
        if call.prefix is None:
            return b""
        call.empty = False
        return call.prefix + _encode(fragment) + call.suffix

    def _addition(self, event: ev.StateDelta | ev.CitationAdded | ev.RefusalDelta | ev.LogprobsAdded) -> bytes:
        state, opening = self._state(event.choice)
        match event:
            case ev.RefusalDelta():
                return self._delta(event.choice, {"refusal": event.text})
            case ev.LogprobsAdded():
                frame = {"index": event.choice, "delta": {}, "logprobs": event.value, "finish_reason": None}
                return opening + self._frame(frame)
            case ev.CitationAdded():
                state.citations[event.index].append(event.citation)
                return b""
            case ev.StateDelta() if is_sealed(event.state):
                return self._delta(event.choice, {SEALED: event.state.data})
            case ev.StateDelta():
                state.signature = call_state(ReasoningPart("", event.state)) or state.signature
                entry: Json = {"type": "reasoning.text", "signature": event.state.data, **encode_format(event.state)}
                entry["index"] = state.states[event.index]
                return self._delta(event.choice, {"reasoning_details": [entry]})

    def _finish_part(self, event: ev.PartFinished) -> bytes:
        if event.extras:
            drop_extras(event.extras, f"choices[{event.choice}].content[{event.index}]", self._log)
        state = self._choices[event.choice]
        citations = state.citations.pop(event.index, None)
        if not citations:
            return b""
        start = state.starts[event.index]
        annotations: list[Json] = []
        for position, citation in enumerate(citations):
            annotation = encode_citation(citation, start, state.length - start)
            if annotation is None:
                path = f"choices[{event.choice}].content[{event.index}].citations[{position}]"
                self._log.dropped(path, "only citations of an address can be told")
            else:
                annotations.append(annotation)
        return self._delta(event.choice, {"annotations": annotations}) if annotations else b""

    # --- ends ---------------------------------------------------------------------------------------------------------

    def _finish_choice(self, event: ev.ChoiceFinished) -> bytes:
        state, out = self._state(event.choice)
        finish = event.finish
        if finish.reason != "length":
            out += b"".join(
                self._fragment(call, "{}") for call in state.calls.values() if call.empty and _takes_json(call)
            )
        out += self._decline(finish, state)
        calls = any(call.prefix is not None for call in state.calls.values())
        own = dict(event.extras.get(NAME, {}))
        choice: Json = {
            "index": event.choice,
            "delta": own.pop("message", {}),
            "finish_reason": finish_word(finish, calls=calls, legacy=state.legacy),
        }
        path = f"choices[{event.choice}]"
        write_extras(choice, {**event.extras, NAME: own}, path, self._log)
        report_finish(finish, path, self._log)
        return out + self._frame(choice)

    def _decline(self, finish: Finish, state: _ChoiceState) -> bytes:
        """Tell why the model declined, where it said so beside the text."""
        reason = explanation(finish) if finish.reason == "refusal" and not state.refused else None
        return self._delta(state.index, {"refusal": reason}) if reason else b""

    def _opaque(self, event: ev.OpaqueEvent) -> bytes:
        if event.origin == NAME and event.kind == "audio":
            choice: int = event.value["choice"]
            return self._state(choice)[1] + self._delta(choice, {"audio": event.value["audio"]})
        self._log.dropped(event.kind, f"an event of {event.origin} that Chat Completions does not have")
        return b""

    def _end(self, event: ev.Ended) -> bytes:
        tail: Json = {}
        if self._wants_usage and self._usage is not None:
            tail["usage"] = encode_usage(self._usage, self._log)
        for origin, keys in event.extras.items():
            for key, value in keys.items():
                if origin == NAME and tail:
                    tail[key] = value
                else:
                    self._log.dropped(key, "it came after the last chunk")
        if not tail:
            return DONE
        return self._head + b'"choices":[],' + _encode(tail)[1:] + b"\n\n" + DONE


def _takes_json(call: _CallState) -> bool:
    """An empty call of a function is told as an empty object: clients parse it."""
    return call.prefix is not None and call.prefix.endswith(b'"arguments":')
