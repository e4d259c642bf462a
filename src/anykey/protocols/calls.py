"""Calls as the caller knows them. What an upstream could not be sent is undone in what it answers: a name that had to be changed
(``names``) is the caller's own again, and with it the namespace; a free-text tool that went out as a function with one argument
is called with its text; a tool that Responses spells with a type of its own is called by it.
"""

from __future__ import annotations

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Part, ToolCallKind, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.conversation.tools import CustomTool, FunctionTool
from anykey.protocols.codec import Decoded, StreamDecoder
from anykey.protocols.free_text import FreeTextReader
from anykey.protocols.names import LIMITS, sent_name
from anykey.protocols.plain_tools import ToolId, plain_names


class CallMap:
    """The tools of one request that its upstream knows otherwise. False when there are none: then nothing has to be undone."""

    __slots__ = ("_kinds", "_originals")

    def __init__(self, request: GenerateRequest) -> None:
        """``request`` as the caller made it, before ``plain_tools``."""
        plain = plain_names(request)
        names = {tool.name for tool in request.tools if tool.name}
        names.update(part.name for m in request.messages for part in m.parts if isinstance(part, ToolCallPart))
        known: list[tuple[str, ToolId]] = [(name, (None, name)) for name in names]
        known += [(name, tool) for tool, name in plain.items()]
        self._originals: dict[str, ToolId] = {
            sent: tool
            for limit in LIMITS
            for name, tool in known
            if (sent := sent_name(name, limit)) != name or tool[0] is not None
        }
        self._kinds: dict[ToolId, ToolCallKind] = {}
        for tool in request.tools:
            if type(tool) is CustomTool:
                self._kinds[tool.namespace, tool.name] = "custom"
            elif type(tool) is FunctionTool and tool.kind != "function":
                self._kinds[tool.namespace, tool.name] = tool.kind

    def __bool__(self) -> bool:
        return bool(self._originals or self._kinds)

    def original(self, sent: str) -> ToolId:
        """The caller's namespace and name of the tool that the upstream calls ``sent``."""
        return self._originals.get(sent) or (None, sent)

    def response(self, answer: GenerateResponse) -> Decoded[GenerateResponse]:
        """``answer`` with the caller's calls."""
        if not self:
            return Decoded(answer, ())
        replace, losses = msgspec.structs.replace, LossLog("response").losses
        choices = tuple(
            replace(
                choice,
                parts=tuple(
                    self._whole_call(part, choice.index, index, losses) if isinstance(part, ToolCallPart) else part
                    for index, part in enumerate(choice.parts)
                ),
            )
            for choice in answer.choices
        )
        return Decoded(replace(answer, choices=choices), tuple(losses))

    def stream_decoder(self, decoder: StreamDecoder) -> StreamDecoder:
        """``decoder``, whose events tell the caller's calls."""
        return _CallDecoder(decoder, self) if self else decoder

    def begin(self, call: ToolCallPart) -> tuple[ToolCallPart, FreeTextReader | None]:
        """``call`` as the caller knows it and, if its arguments stand for a text, who reads them; they are then left out."""
        if call.namespace is not None:  # the upstream has namespaces itself
            namespace, name = call.namespace, call.name
        else:
            namespace, name = self.original(call.name)
        kind = self._kinds.get((namespace, name)) if call.kind in ("function", "legacy_function") else None
        if kind == "custom":
            told = msgspec.structs.replace(call, name=name, namespace=namespace, kind=kind, arguments="")
            return told, FreeTextReader()
        if kind is None and name == call.name and namespace == call.namespace:
            return call, None
        return msgspec.structs.replace(call, name=name, namespace=namespace, kind=kind or call.kind), None

    def _whole_call(self, call: ToolCallPart, choice: int, index: int, losses: list[Loss]) -> Part:
        told, reader = self.begin(call)
        if reader is None:
            return told
        text = reader.feed(call.arguments) + reader.close()
        if not reader.exact:
            losses.append(_bent(choice, index))
        return msgspec.structs.replace(told, arguments=text)


class _CallDecoder:
    """A decoder whose calls are the caller's. ``losses`` are those of the decoder inside, and its own."""

    __slots__ = ("_calls", "_decoder", "_readers", "losses")

    def __init__(self, decoder: StreamDecoder, calls: CallMap) -> None:
        self._decoder = decoder
        self._calls = calls
        self._readers: dict[tuple[int, int], FreeTextReader] = {}  # by choice and part
        self.losses = decoder.losses

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        return self._tell(self._decoder.feed(data))

    def close(self) -> list[ev.StreamEvent]:
        return self._tell(self._decoder.close())

    def _tell(self, events: list[ev.StreamEvent]) -> list[ev.StreamEvent]:
        told: list[ev.StreamEvent] = []
        for event in events:
            match event:
                case ev.PartStarted(part=ToolCallPart() as call):
                    begun, reader = self._calls.begin(call)
                    told.append(msgspec.structs.replace(event, part=begun))
                    if reader is not None:
                        self._readers[event.choice, event.index] = reader
                        told += _delta(event, reader.feed(call.arguments))
                case ev.ArgumentsDelta() if reader := self._readers.get((event.choice, event.index)):
                    told += _delta(event, reader.feed(event.fragment))
                case ev.PartFinished() if reader := self._readers.pop((event.choice, event.index), None):
                    told += _delta(event, reader.close())
                    told.append(event)
                    if not reader.exact:
                        self.losses.append(_bent(event.choice, event.index))
                case _:
                    told.append(event)
        return told


def _delta(event: ev.PartStarted | ev.ArgumentsDelta | ev.PartFinished, text: str) -> list[ev.StreamEvent]:
    return [ev.ArgumentsDelta(event.index, text, event.choice)] if text else []


def _bent(choice: int, index: int) -> Loss:
    path = f"choices[{choice}].parts[{index}].arguments"
    return Loss("approximated", path, 'they are not {"input": text}, so as much is told as can be read', "response")
