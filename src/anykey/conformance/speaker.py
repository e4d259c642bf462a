"""One protocol spoken to the gateway under test: a neutral request goes out as its clients spell it, and a checked answer comes
back."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conformance.laws.catalog import LAWS
from anykey.conformance.line import Heard, Line
from anykey.conformance.records import Mode
from anykey.conversation.assembly import assemble
from anykey.conversation.events import Broke
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import Json, ProtocolName
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.conversation.verify import IllegalStream, check_stream
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Encoded
from anykey.protocols.sse import EventTooLarge, SseParser

SPELLING: dict[ProtocolName, Json] = {
    "openai_chat": {
        "custom_tools": True,
        "strict_tools": True,
        "prompt_cache_key": True,
        "echo_reasoning": "always",
        "reasoning_details": True,
    },
    "openai_responses": {},
    "anthropic_messages": {},
    "gemini_generate": {"tool_result_media": "native"},
}
"""How each protocol's own clients write: the dialect of a server that takes all of the protocol."""


MESSAGE_LENGTH = 160


class Refused(Exception):
    """The gateway answered with an HTTP error."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(f"HTTP {heard.status}")
        self.heard = heard


class Breach(Exception):
    """What came back is not what the protocol's clients can rely on; the text says the first thing."""


class Speaker:
    """``last`` is the answer heard last, for its request id."""

    def __init__(self, protocol: ProtocolName, model: str, line: Line) -> None:
        self.protocol: ProtocolName = protocol
        self.model = model
        self.line = line
        self.law = LAWS[protocol]
        self.last: Heard | None = None
        self._codec = CODECS[protocol]
        self.dialect: Any = self._codec.dialect(SPELLING[protocol])

    def spell(self, request: GenerateRequest) -> Encoded:
        """The body of ``request``, and what the protocol has no word for."""
        return self._codec.encode_request(request, self.dialect)

    async def send(self, body: bytes, mode: Mode, *, model: str | None = None, key: str | None = None) -> Heard:
        """One generate call, whatever comes back."""
        address = self.line.address(self.protocol)
        return await self.post(self._codec.call_url(address, model or self.model, stream=mode == "stream"), body, key)

    async def post(self, url: str, body: bytes, key: str | None = None) -> Heard:
        """Any other POST of the protocol."""
        self.last = None
        self.last = await self.line.post(self.protocol, url, body, key)
        return self.last

    async def get(self, url: str) -> Heard:
        self.last = None
        self.last = await self.line.get(self.protocol, url)
        return self.last

    async def ask(self, request: GenerateRequest, mode: Mode) -> GenerateResponse:
        """The answer to ``request``, lawful in every respect. Raises Refused, Breach or UpstreamError."""
        streamed = mode == "stream"
        asked = msgspec.structs.replace(request, stream=streamed, include_usage=streamed or None)
        body = self.spell(asked).body
        heard = await self.send(body, mode)
        if heard.status != 200:
            raise Refused(heard)
        return self._read_stream(heard) if streamed else self._read_answer(heard)

    def message_of(self, heard: Heard) -> str:
        """What an error says, on one line."""
        failure = self._codec.decode_failure(heard.status, (), heard.body)
        return " ".join(failure.message.split())[:MESSAGE_LENGTH]

    def _read_answer(self, heard: Heard) -> GenerateResponse:
        try:
            response = self._codec.decode_response(heard.body, self.dialect).value
        except FailureError as error:
            raise Breach(f"HTTP 200 holds no answer: {error.failure.message}") from None
        _check(_content_type(heard, "application/json") + self.law.check_answer(heard.body))
        return response

    def _read_stream(self, heard: Heard) -> GenerateResponse:
        decoder = self._codec.stream_decoder(self.dialect)
        events = decoder.feed(heard.body) + decoder.close()
        for event in events:
            if isinstance(event, Broke):
                raise Breach(f"the stream breaks off: {event.failure.message}")
        _check(_content_type(heard, "text/event-stream") + self._check_records(heard.body))
        try:
            check_stream(events)
        except IllegalStream as error:
            raise Breach(f"the stream tells no whole answer: {error}") from None
        return assemble(events)

    def _check_records(self, body: bytes) -> list[str]:
        parser = SseParser()
        try:
            records = parser.feed(body)
        except EventTooLarge as error:
            return [str(error)]
        if parser.pending():
            return ["the stream ends in the middle of an event"]
        return self.law.check_stream(records)


def _content_type(heard: Heard, wanted: str) -> list[str]:
    return [] if heard.content_type == wanted else [f"the content-type is {heard.content_type!r}, not {wanted}"]


def _check(breaches: list[str]) -> None:
    if breaches:
        more = len(breaches) - 1
        raise Breach(breaches[0] + (f" (and {more} more)" if more else ""))
