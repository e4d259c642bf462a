"""A reply that remembers: it passes on what the client is told, and hands the finished response over before its end is told.

The journey behind it knows nothing of our memory, so the response objects it makes say ``store: false`` and name nothing that
came before. Those few fields are set right here; everything else passes as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from anykey.exchange.ports import Headers, Reply
from anykey.exchange.responses.frames import (
    ITEM_DONE,
    LIFECYCLE,
    TERMINAL,
    Fields,
    FrameCutter,
    data_of,
    frame_of,
    kind_of,
    raw,
    read_fields,
)
from anykey.exchange.responses.items import json_list

NOT_STORED = (b"x-anykey-state", b"not-stored")
"""Tells a client that asked for it that its response was not stored: too large, or the database fails."""


class Final(msgspec.Struct, frozen=True):
    """A response as the client was told it. ``response`` is the JSON object, ``output`` the items in it."""

    id: str
    status: str
    created_at: int
    response: bytes
    output: list[bytes]


Keep = Callable[[Final], Awaitable[bool]]
"""Keeps a finished response; False: it is not kept."""


class _Heading(msgspec.Struct):
    id: str
    status: str = "completed"
    created_at: float = 0
    output: list[msgspec.Raw] = []


class RecordingReply:
    """Stands before ``inner``. ``set_fields`` are set in every response object; ``keep`` gets the response at its end, with
    ``early`` at its beginning too."""

    def __init__(self, inner: Reply, set_fields: Fields, keep: Keep, *, early: bool = False) -> None:
        self._inner = inner
        self._set = set_fields
        self._keep = keep
        self._early = early
        self._cutter = FrameCutter()
        self._created: Fields = {}
        self.started = False
        self.items: list[bytes] = []
        """The output items that were told complete so far."""

    @property
    def gone(self) -> bool:
        return self._inner.gone

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        await self._inner.start(status, headers)

    async def write(self, data: bytes) -> None:
        """Whole frames pass on; one that has only begun waits for its rest, since no client can read it earlier either."""
        frames = [await self._passed(frame) for frame in self._cutter.feed(data)]
        if frames:
            await self._inner.write(b"".join(frames))

    async def end(self) -> None:
        tail, self._cutter.tail = self._cutter.tail, b""
        if tail:
            await self._inner.write(tail)
        await self._inner.end()

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """The complete answer: kept if it is a response, passed on as it is if it is an error."""
        response = read_fields(body) if 200 <= status < 300 else None
        if response is not None:
            response.update(self._set)
            body = msgspec.json.encode(response)
            final = _final(response)
            if final is not None and not await self._keep(final):
                headers = (*headers, NOT_STORED)
        self.started = True
        await self._inner.whole(status, headers, body)

    async def _passed(self, frame: bytes) -> bytes:
        """The frame as the client gets it."""
        kind = kind_of(frame)
        if kind == ITEM_DONE:
            done = read_fields(data_of(frame))
            if done is not None and "item" in done:
                self.items.append(bytes(done["item"]))
            return frame
        if kind not in LIFECYCLE and kind not in TERMINAL:
            return frame
        told = read_fields(data_of(frame))
        response = read_fields(told["response"]) if told is not None and "response" in told else None
        if told is None or response is None:
            return frame
        response.update(self._set)
        told["response"] = msgspec.Raw(msgspec.json.encode(response))
        if kind in TERMINAL:
            await self._finish(response)
        elif not self._created:
            self._created = response
            began = _final(response) if self._early else None
            if began is not None:
                await self._keep(began)
        return frame_of(kind, told)

    async def _finish(self, response: Fields) -> None:
        """Hand the response over. One that tells of its failure only is completed by what was told at its beginning, and an
        empty output by the items that were told (some upstreams leave it empty)."""
        if self._created and response.get("id") != self._created.get("id"):
            response = {**self._created, **{name: response[name] for name in ("status", "error") if name in response}}
        final = _final(response)
        if final is not None and not final.output and self.items:
            final = _final({**response, "output": msgspec.Raw(json_list(self.items))})
        if final is not None:
            await self._keep(final)


def failed(response: Fields, status: str, error: dict[str, str] | None, items: list[bytes]) -> Fields:
    """``response`` brought to an end that no upstream told: with what was said of it until then."""
    ended = {"status": raw(status), "error": raw(error), "output": msgspec.Raw(json_list(items))}
    return {**response, **ended}


def _final(response: Fields) -> Final | None:
    text = msgspec.json.encode(response)
    try:
        heading = msgspec.json.decode(text, type=_Heading)
    except msgspec.DecodeError:
        return None
    return Final(heading.id, heading.status, int(heading.created_at), text, [bytes(item) for item in heading.output])
