"""Background responses: the client is answered at once, the journey goes on without it, and its events can be read at any time.

    queued → in_progress → completed | incomplete | failed | cancelled

The events of a call under way are in memory, those of one that has ended in the database. A call that a stop of the gateway cuts
off ends as failed: its upstream is not called a second time.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from typing import Any

import msgspec

from anykey.conversation.events import Started
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.responses.answers import EVENTS, JSON, answer_headers
from anykey.exchange.responses.frames import (
    LIFECYCLE,
    TERMINAL,
    Fields,
    FrameCutter,
    data_of,
    event,
    kind_of,
    numbered,
    raw,
    read_fields,
)
from anykey.exchange.responses.keeper import Keeper
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.responses.recording import Final, RecordingReply, failed
from anykey.exchange.steps import generate
from anykey.exchange.transcript import Transcript, keep_transcript
from anykey.storage.errors import DatabaseError
from anykey.storage.responses import delete_response

log = logging.getLogger(__name__)

MOST_RUNS = 512
MOST_EVENT_BYTES = 64 * 1024 * 1024
ALREADY_TOLD = (b"response.created", b"response.queued")
TOO_LARGE = {"code": "server_error", "message": "The response is larger than this gateway keeps."}
BROKEN_OFF = {"code": "server_error", "message": "The response was broken off before it was complete."}
Error = dict[str, str]


class BackgroundRun:
    """One background call. ``frames`` are its events, each at the place of its sequence number; ``response`` is the object as it
    was told last."""

    def __init__(self, response_id: str, key_id: str, response: Fields) -> None:
        self.id = response_id
        self.key_id = key_id
        self.task: asyncio.Task[None] | None = None
        self.response = msgspec.json.encode(response)
        self.frames = [event(kind, number, self.response) for number, kind in enumerate(ALREADY_TOLD)]
        self.done = False
        self.final: Final | None = None
        self.error: Error | None = None
        self.reply = KeptReply(self)
        self._size = 0
        self._changed = asyncio.Event()

    def tell(self, frame: bytes) -> None:
        """Add an event."""
        kind = kind_of(frame)
        if not kind or kind in ALREADY_TOLD:
            return
        frame = numbered(frame, len(self.frames))
        self._size += len(frame)
        if self._size > MOST_EVENT_BYTES and self.task is not None:
            self.error = TOO_LARGE
            self.reply.gone = True
            self.task.cancel()
            return
        self.frames.append(frame)
        if kind in LIFECYCLE or kind in TERMINAL:
            told = read_fields(data_of(frame)) or {}
            self.response = bytes(told.get("response", self.response))
        self._wake()

    async def heard(self, final: Final) -> bool:
        """The end of the response; it is kept when its events are complete."""
        self.final = final
        return True

    def finish(self) -> None:
        """Nothing more will be told."""
        self.done = True
        self._wake()

    async def cancel(self) -> None:
        """End the call and wait until what there is of it is kept."""
        self.reply.gone = True
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait((self.task,))

    async def follow(self, exchange: Exchange, reply: Reply, after: int, keepalive_s: float) -> None:
        """Tell the events after the one numbered ``after``, those that are still to come too."""
        await reply.start(200, answer_headers(exchange, EVENTS))
        at = after + 1
        while True:
            news = self.frames[at:]
            if news:
                at += len(news)
                await reply.write(b"".join(news))
            elif self.done:
                break
            elif not await self._change(keepalive_s):
                await reply.write(exchange.codec.heartbeat())
        await reply.end()

    async def _change(self, within_s: float) -> bool:
        """Wait for news; False: there are none within that time."""
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class KeptReply:
    """The client of a background call: nobody, so everything is kept. ``gone``: the call was cancelled."""

    def __init__(self, run: BackgroundRun) -> None:
        self._run = run
        self._cutter = FrameCutter()
        self.started = False
        self.gone = False
        self.transcript: Transcript | None = None

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        if self.transcript is not None:
            self.transcript.begin(status, headers)

    async def write(self, data: bytes) -> None:
        if self.transcript is not None:
            self.transcript.add(data)
        for frame in self._cutter.feed(data):
            self._run.tell(frame)

    async def end(self) -> None:
        """The run itself says when it is over."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """The call was refused: a stream that succeeds is never whole."""
        await self.start(status, headers)
        if self.transcript is not None:
            self.transcript.add(body)
        self._run.error = _error_in(body)


async def begin_background(exchange: Exchange, keeper: Keeper, reply: Reply, gateway: Gateway, *, stream: bool) -> None:
    """Answer with the queued response (or follow its events) while the call is made. ``exchange`` has a known key and a body that
    needs no memory. FailureError: the request cannot be read, or there are too many such calls."""
    memory, key = gateway.memory, exchange.key
    if memory is None or key is None:
        raise AssertionError("a background call has a memory and a key")
    if len(memory.runs) >= MOST_RUNS:
        raise FailureError(Failure("overloaded", "Too many background responses are under way.", retry_after_s=10))
    response_id = exchange.answer_id or f"resp_{uuid.uuid4().hex}"
    queued = _queued(exchange, response_id, memory.now())
    own = {"id": raw(response_id), **keeper.set_fields()}
    queued.update({**own, "status": raw("queued")})
    run = BackgroundRun(response_id, key.id, queued)
    memory.runs[response_id] = run
    try:
        kept = await keeper.keep(Final(response_id, "queued", memory.now(), run.response, []))
    except asyncio.CancelledError:  # the client is gone and knows no id: nothing runs, so nothing may seem to
        del memory.runs[response_id]
        with suppress(DatabaseError):
            await memory.shelf.change(delete_response, key.id, response_id, memory.now())
        raise
    if not kept:
        del memory.runs[response_id]
        raise FailureError(Failure("unavailable", "The response cannot be stored, so it cannot run in the background."))
    inbound = Inbound(exchange.codec, exchange.headers, _streamed(exchange.body), exchange.client, exchange.path)
    apart = Exchange(exchange.request_id, inbound, exchange.began, exchange.at_ms)
    apart.answer_id = response_id
    apart.peer = exchange.peer
    if exchange.transcript is not None:  # what the call comes to is to be kept, not that it was taken
        run.reply.transcript = apart.transcript = exchange.transcript.moved()
        exchange.transcript = None
    run.task = asyncio.get_running_loop().create_task(_travel(run, apart, keeper, own, gateway))
    if stream:
        await run.follow(exchange, reply, -1, gateway.keepalive_s)
    else:
        await reply.whole(200, answer_headers(exchange, (JSON,)), run.response)


async def _travel(run: BackgroundRun, exchange: Exchange, keeper: Keeper, own: Fields, gateway: Gateway) -> None:
    """The call itself, from its beginning to its end in the database, however it ends."""
    recording = RecordingReply(run.reply, own, run.heard)
    try:
        await generate(exchange, recording, gateway)
    except asyncio.CancelledError:
        log.info("background response %s was stopped", run.id)
    try:
        await _keep(run, run.final or _break_off(run, recording.items), keeper)
    finally:
        keep_transcript(exchange, gateway)
        if gateway.memory is not None:
            gateway.memory.runs.pop(run.id, None)
        run.finish()


async def _keep(run: BackgroundRun, final: Final, keeper: Keeper) -> None:
    """Keep the response with its events; one that is too large leaves at least its failure."""
    if not await keeper.keep(final, b"".join(run.frames)):
        lost = failed(read_fields(final.response) or {}, "failed", TOO_LARGE, [])
        await keeper.keep(Final(run.id, "failed", final.created_at, msgspec.json.encode(lost), []))


def _break_off(run: BackgroundRun, items: list[bytes]) -> Final:
    """End a call whose end no upstream told."""
    cancelled = run.reply.gone and run.error is None
    status, error = ("cancelled", None) if cancelled else ("failed", run.error or BROKEN_OFF)
    response = failed(read_fields(run.response) or {}, status, error, items)
    text = msgspec.json.encode(response)
    if not cancelled:
        run.frames.append(event(b"response.failed", len(run.frames), text))
    run.response = text
    created = msgspec.json.decode(response.get("created_at", msgspec.Raw(b"0")), type=float)
    return Final(run.id, status, int(created), text, items)


def running(memory: ResponseMemory, key_id: str, response_id: str) -> BackgroundRun | None:
    """The call under way of that id, if it is this key's."""
    run = memory.runs.get(response_id)
    return run if isinstance(run, BackgroundRun) and run.key_id == key_id else None


def replayed(events: bytes, after: int) -> bytes:
    """The events of an ended call after the one numbered ``after``."""
    return b"".join(FrameCutter().feed(events)[after + 1 :])


def _queued(exchange: Exchange, response_id: str, now: int) -> Fields:
    """The response object before anything is said: the codec's own, so that it repeats the request as all others do."""
    request = exchange.codec.decode_request(exchange.body, exchange.path).value
    encoder = exchange.codec.stream_encoder(msgspec.structs.replace(request, messages=()), exchange.body)
    told = encoder.feed([Started(response_id, exchange.model, now)])
    first = read_fields(data_of(FrameCutter().feed(told)[0])) or {}
    return read_fields(first["response"]) or {}


def _streamed(body: bytes) -> bytes:
    fields = msgspec.json.decode(body, type=Fields)
    fields["stream"] = raw(value=True)
    return msgspec.json.encode(fields)


class _Refusal(msgspec.Struct):
    error: dict[str, Any]


def _error_in(body: bytes) -> Error:
    """The error of a refusal, as a response object tells it."""
    try:
        said = msgspec.json.decode(body, type=_Refusal).error
    except msgspec.DecodeError:
        return BROKEN_OFF
    return {"code": str(said.get("code") or "server_error"), "message": str(said.get("message") or "")}
