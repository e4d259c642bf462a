"""Another protocol upstream: decode what it says, check it against the law of streams, encode it for the client."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.assembly import replay
from anykey.conversation.estimate import estimate_input_tokens, utf8_size
from anykey.conversation.failures import Failure
from anykey.conversation.merging import merge_answers
from anykey.conversation.parts import ToolCallPart
from anykey.conversation.response import GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import IllegalStream, StreamChecker
from anykey.exchange.carry import AnswerState, Carry
from anykey.exchange.exchange import Exchange
from anykey.exchange.fanned import FannedDecoder, unpack_bodies
from anykey.exchange.remedies import remedies
from anykey.exchange.replayed import note_answer, read_answer
from anykey.protocols.calls import CallMap
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.protocols.codec import Decoded, StreamDecoder, StreamEncoder
from anykey.protocols.stops import stop_stream, stop_whole
from anykey.protocols.tiers import tier_in, tier_of_usage, tier_word
from anykey.routing.plan import PlanStep


class TranslatedCrossing:
    """The caller's request in the endpoint's protocol, and its answer in the caller's. Both may be the same protocol, where the
    request holds what must not go there as it is."""

    decoded = True

    def __init__(self, exchange: Exchange, step: PlanStep, dialect: Any, carry: Carry) -> None:
        request, losses = exchange.codec.decode_request(exchange.body, exchange.path)
        request, state_losses, self.carries_state = carry.request(exchange, step, request, dialect)
        losses = (*losses, *state_losses)
        self._exchange = exchange
        self._dialect = dialect
        self._codec = UPSTREAM_CODECS[step.endpoint.protocol]
        self._calls = CallMap(request)
        renamed = msgspec.structs.replace(request, model=step.deployment.model)
        self.body, more_losses = self._codec.encode_request(renamed, dialect)
        exchange.request_losses = (*losses, *more_losses)
        self._stops, self.copies = remedies(exchange, step, renamed, losses, more_losses)
        if exchange.to_be_estimated:
            exchange.estimated_input = estimate_input_tokens(request) * self.copies
        # The conversation is let go before the wait for the upstream: it is many times larger than its text, and memory that
        # comes back at once stays in the processor's cache. Another attempt reads it again.
        self._options = msgspec.structs.replace(renamed, messages=(), instructions=(), tools=())
        self.headers = self._codec.request_headers(
            exchange.headers,
            dialect,
            verbatim=step.endpoint.protocol == exchange.codec.name,
            asked=self._options,
        )
        self._state = carry.answer(exchange, step, dialect)

    def pipe(self) -> TranslatedPipe:
        encoder = self._exchange.codec.stream_encoder(self._options, self._exchange.body)
        decoder = self._decoder() if self.copies == 1 else FannedDecoder(self._decoder, self.copies)
        return TranslatedPipe(self._exchange, decoder, encoder, self._state)

    def _decoder(self) -> StreamDecoder:
        """What one upstream stream says: its calls as the caller knows them, its text up to his stop sequences."""
        calls = self._calls.stream_decoder(self._codec.stream_decoder(self._dialect))
        choices = 1 if self.copies > 1 else self._options.choice_count or 1
        return stop_stream(calls, self._stops, choices)

    def whole(self, body: bytes) -> bytes:
        answer, losses = self._answer(body)
        told, more_losses = self._exchange.codec.encode_response(answer, self._options, self._exchange.body)
        self._exchange.response_losses = [*losses, *more_losses]
        return told

    def whole_as_stream(self, body: bytes) -> bytes:
        answer, losses = self._answer(body)
        encoder = self._exchange.codec.stream_encoder(self._options, self._exchange.body)
        told = encoder.feed(replay(answer))
        self._exchange.response_losses = [*losses, *encoder.losses]
        return told

    def _answer(self, body: bytes) -> Decoded[GenerateResponse]:
        """What the upstream answered: dated, and its calls as the caller knows them."""
        if self.copies == 1:
            answer, losses = read_answer(self._codec, body, self._dialect)
        else:
            answers = [read_answer(self._codec, one, self._dialect) for one in unpack_bodies(body)]
            answer = merge_answers([one.value for one in answers])
            losses = tuple(loss for one in answers for loss in one.losses)
        answer = stop_whole(answer, self._stops)
        note_answer(self._exchange, answer)
        if answer.created is None:
            answer = msgspec.structs.replace(answer, created=created(self._exchange))
        identity, model = named(self._exchange, answer.id, answer.model)
        answer = msgspec.structs.replace(answer, id=identity, model=model)
        answer, more_losses = self._calls.response(self._state.response(answer))
        return Decoded(answer, (*losses, *more_losses))


class TranslatedPipe:
    """A stream of one protocol told in another."""

    def __init__(self, exchange: Exchange, decoder: StreamDecoder, encoder: StreamEncoder, state: AnswerState) -> None:
        self._exchange = exchange
        self._decoder = decoder
        self._encoder = encoder
        self._state = state
        self._passing = state.passing
        self._checker = StreamChecker()
        self._usage: Usage | None = None
        self._early_usage = False
        self._tier: str | None = None
        self._said_bytes = 0
        self._finish: str | None = None
        self._model: str | None = None
        self.content = False
        self.complete = False
        self.failure: Failure | None = None
        self.refused = False

    def feed(self, chunk: bytes) -> bytes:
        return self._tell(self._decoder.feed(chunk))

    def close(self) -> bytes:
        return self._tell(self._decoder.close())

    def may_beat(self) -> bool:
        return not self.complete

    def beat(self) -> bytes:
        return self._encoder.heartbeat()

    def settle(self, exchange: Exchange) -> None:
        if not self.complete and self.failure is None:
            self._hear_the_rest()
        exchange.usage = self._usage
        exchange.finish = self._finish
        exchange.model_answered = self._model
        exchange.said_bytes = self._said_bytes
        exchange.early_usage = self._early_usage
        exchange.tier = self._tier or tier_of_usage(self._usage)
        exchange.response_losses = [*self._decoder.losses, *self._encoder.losses]

    def _hear_the_rest(self) -> None:
        """The stream was broken off: a decoder may still keep the last usage it read."""
        for event in self._decoder.close():
            if isinstance(event, ev.UsageReported):
                self._usage = event.usage

    def _tell(self, events: list[ev.StreamEvent]) -> bytes:
        """The client's bytes for ``events``. A failure is told in-band, with the request's id, and ends the telling."""
        check = self._checker.check
        for position, event in enumerate(events):
            try:
                check(event)
            except IllegalStream as error:
                self.failure = Failure("upstream_error", f"The provider's stream breaks its protocol: {error}")
            self._said_bytes += said_by(event)
            if type(event) in self._passing:
                self.content = True
            else:
                events[position] = self._note(event)
            if self.failure is not None:
                told = self._encoder.feed(events[:position])
                return told + self._exchange.codec.encode_stream_failure(self.failure, self._exchange.request_id)
        return self._encoder.feed(events) if events else b""

    def _note(self, event: ev.StreamEvent) -> ev.StreamEvent:
        """Hear what the usage row needs; date the answer, seal its state."""
        event = self._state.event(event)
        match event:
            case ev.PartStarted(part=ToolCallPart()) | ev.ReasoningDelta() | ev.StateDelta():
                self.content = True
            case ev.Started():
                self._model = event.model or None
                self._usage = event.usage
                self._early_usage = True
                self._tier = tier_word(event.service_tier)
                if event.created is None:
                    event = msgspec.structs.replace(event, created=created(self._exchange))
                identity, model = named(self._exchange, event.id, event.model)
                return msgspec.structs.replace(event, id=identity, model=model)
            case ev.UsageReported():
                self._usage = event.usage
                self._early_usage = False
            case ev.ChoiceFinished():
                self._finish = event.finish.reason
            case ev.Ended():
                self.complete = True
                for late in event.extras.values():
                    self._tier = tier_in(late) or self._tier
            case ev.Broke():
                self.failure, self.refused = event.failure, event.told
            case _:
                pass
        return event


def said_by(event: ev.StreamEvent) -> int:
    """Bytes of text, reasoning and calls in an event."""
    match event:
        case ev.TextDelta() | ev.ReasoningDelta() | ev.RefusalDelta():
            return utf8_size(event.text)
        case ev.ArgumentsDelta():
            return utf8_size(event.fragment)
        case ev.PartStarted(part=ToolCallPart() as call):
            return utf8_size(call.name) + utf8_size(call.arguments)
        case _:
            return 0


def named(exchange: Exchange, identity: str, model: str) -> tuple[str, str]:
    """The id and the model of an answer. Converse tells neither; clients take answers with one id for one answer."""
    asked = exchange.step.deployment.model if exchange.step else ""
    return exchange.answer_id or identity or exchange.request_id, model or asked


def created(exchange: Exchange) -> int:
    """Unix seconds: Messages has no creation time, Chat must have one."""
    return exchange.at_ms // 1000
