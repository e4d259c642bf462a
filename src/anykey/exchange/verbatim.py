"""Same protocol on both sides: the bytes are relayed as they are, and a Tap listens.

Edits are named: the model's name, for a Chat stream the usage option that metering needs (its chunk is hidden from a client that
did not ask for it), and reasoning that a Chat upstream demands back and the client did not send.
"""

from __future__ import annotations

from anykey.conversation.estimate import answer_bytes
from anykey.conversation.failures import Failure
from anykey.exchange.carry import Carry
from anykey.exchange.exchange import Exchange
from anykey.exchange.mishaps import EVENT_END, AttemptFailed, cut_short, unreadable
from anykey.exchange.reasoning_memory import ReasoningListener, Recollection, refill_chat_body
from anykey.exchange.replayed import replay_whole, uncounted
from anykey.exchange.state import may_carry_state
from anykey.exchange.ways import WayOut
from anykey.protocols.codec import StreamDecoder, Tap


class VerbatimCrossing:
    """The caller's own bytes to an endpoint that speaks his protocol."""

    decoded = False
    copies = 1

    def __init__(self, exchange: Exchange, way: WayOut, carry: Carry) -> None:
        codec, step = exchange.codec, way.step
        self._exchange = exchange
        self._dialect = dialect = way.dialect
        self._provider = step.endpoint.provider
        self._listener: ReasoningListener | None = None
        body = exchange.body
        if way.echoes and exchange.key is not None:
            self._listener = carry.listener(exchange, step, dialect)
            body = refill_chat_body(body, dialect, Recollection(carry.memory, exchange.key.id, self._provider))
        self.body, self._hide_usage = codec.prepare_verbatim(body, step.deployment.model, dialect)
        self.headers = codec.request_headers(exchange.headers, dialect, verbatim=True, asked=body)

    @property
    def carries_state(self) -> bool:
        """There is a slot for it in the body: the client sent it, or a text says such a word."""
        return may_carry_state(self.body, self._exchange.codec.name)

    def pipe(self) -> VerbatimPipe:
        tap = self._tap(stream=True)
        if self._listener is not None:
            tap = _ListeningTap(tap, self._exchange.codec.stream_decoder(self._dialect), self._listener)
        return VerbatimPipe(self._exchange, tap, self._provider)

    def whole(self, body: bytes) -> bytes:
        tap = self._tap(stream=False)
        tap.feed(body)
        tap.close()
        note_report(self._exchange, tap)
        if tap.report.failure is not None:
            raise AttemptFailed(tap.report.failure)
        if not tap.report.complete:
            raise AttemptFailed(unreadable(self._provider))
        if self._listener is not None or uncounted(tap.report.usage):
            answer = self._exchange.codec.decode_response(body, self._dialect).value
            self._exchange.said_bytes = answer_bytes(answer)
            if self._listener is not None:
                self._listener.response(answer)
        return body

    def whole_as_stream(self, body: bytes) -> bytes:
        exchange, codec = self._exchange, self._exchange.codec
        encoder = codec.stream_encoder(codec.decode_request(exchange.body, exchange.path).value, exchange.body)
        return replay_whole(exchange, codec, body, self._dialect, encoder)

    def _tap(self, *, stream: bool) -> Tap:
        return self._exchange.codec.tap(self._dialect, stream=stream, hide_usage=self._hide_usage)


class _ListeningTap:
    """A tap that also hears what the model thinks. It relays what the tap inside relays."""

    def __init__(self, tap: Tap, decoder: StreamDecoder, listener: ReasoningListener) -> None:
        self.report = tap.report
        self.at_boundary = tap.at_boundary
        self.close = tap.close
        self._feed = tap.feed
        self._decoder = decoder
        self._listener = listener

    def feed(self, chunk: bytes) -> bytes:
        for event in self._decoder.feed(chunk):
            self._listener.event(event)
        return self._feed(chunk)


class VerbatimPipe:
    """A stream relayed untouched."""

    __slots__ = ("_exchange", "_failure", "_provider", "_report", "_tap")

    def __init__(self, exchange: Exchange, tap: Tap, provider: str) -> None:
        self._exchange = exchange
        self._tap = tap
        self._report = tap.report
        self._provider = provider
        self._failure: Failure | None = None

    @property
    def content(self) -> bool:
        return self._report.content

    @property
    def complete(self) -> bool:
        return self._report.complete

    @property
    def failure(self) -> Failure | None:
        return self._failure or self._report.failure

    @property
    def refused(self) -> bool:
        return self._report.failure is not None

    def feed(self, chunk: bytes) -> bytes:
        return self._tap.feed(chunk)

    def close(self) -> bytes:
        whole = self._tap.at_boundary()
        tail = self._tap.close()
        if not self._report.complete and self._report.failure is None:
            self._failure = cut_short(self._provider)
            ending = b"" if whole else EVENT_END
            return tail + ending + self._exchange.codec.encode_stream_failure(self._failure, self._exchange.request_id)
        if self._report.failure is not None and not whole:
            return tail or EVENT_END  # without it the upstream's own error is no event, and the client hears of none
        return tail

    def may_beat(self) -> bool:
        return self._tap.at_boundary()

    def beat(self) -> bytes:
        return self._exchange.codec.heartbeat()

    def settle(self, exchange: Exchange) -> None:
        note_report(exchange, self._tap)


def note_report(exchange: Exchange, tap: Tap) -> None:
    """What the tap heard, for the usage row."""
    report = tap.report
    exchange.usage = report.usage
    exchange.finish = report.finish
    exchange.model_answered = report.model
    if report.said_bytes:
        exchange.said_bytes = report.said_bytes
    if report.early_usage:
        exchange.early_usage = True
    if report.tier is not None:
        exchange.tier = report.tier
