"""All of it: each protocol beside the others, its features one after another, each in a call of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from anykey.conformance.features import FEATURES, Feature
from anykey.conformance.line import Heard, Line
from anykey.conformance.records import Cell, Mode, Report, Verdict
from anykey.conformance.speaker import Breach, Refused, Speaker
from anykey.conversation.parts import ProtocolName
from anykey.protocols.catalog import CODECS
from anykey.upstream.failures import UpstreamError

PROTOCOLS: tuple[ProtocolName, ...] = tuple(codec.name for codec in CODECS.values())
CALLS = 200
"""About how many calls a run of everything makes."""
NOT_SERVED = frozenset({404, 405, 501})
"""What a gateway says to the plainest call of a protocol that it does not speak."""

_DECLINED = frozenset({400, 404, 405, 415, 422, 501})
_BUSY = frozenset({402, 408, 409, 429, 503, 504, 529})


class NoModel(Exception):
    """The gateway names no model to ask, and the caller named none; the text says what it answered."""


class KeyRefused(Exception):
    """The gateway does not take the key."""


Told = Callable[[Cell], None]


async def run_conformance(line: Line, model: str | None, protocols: Sequence[ProtocolName], told: Told) -> Report:
    """Every cell of these protocols; ``told`` hears each as soon as it is known. ``model`` None: the first one that the gateway
    lists. Raises NoModel, KeyRefused, or UpstreamError where the gateway cannot be reached at all."""
    asked = await _model(line, model)
    columns = await asyncio.gather(*(_run_protocol(line, asked, protocol, told) for protocol in protocols))
    return Report(line.url, asked, line.calls, tuple(cell for column in columns for cell in column))


async def _model(line: Line, model: str | None) -> str:
    heard = await line.get("openai_chat", line.models_address("openai_chat"))
    if heard.status in (401, 403):
        raise KeyRefused(f"HTTP {heard.status}")
    return model or _first_model(heard)


def _first_model(heard: Heard) -> str:
    try:
        return str(msgspec.json.decode(heard.body)["data"][0]["id"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, IndexError, TypeError):
        raise NoModel(f"HTTP {heard.status}") from None


async def _run_protocol(line: Line, model: str, protocol: ProtocolName, told: Told) -> list[Cell]:
    cells: list[Cell] = []
    unserved: Verdict | None = None
    for feature in FEATURES:
        for mode in feature.modes:
            speaker = Speaker(protocol, model, line)
            verdict = unserved or await _verdict(feature, speaker, mode)
            if not cells and speaker.last is not None and speaker.last.status in NOT_SERVED:
                verdict = unserved = _not_served(speaker, speaker.last)
            request_id = speaker.last.request_id if speaker.last else None
            cells.append(Cell(protocol, feature.name, mode, verdict.outcome, verdict.reason, request_id))
            told(cells[-1])
    return cells


def _not_served(speaker: Speaker, heard: Heard) -> Verdict:
    return Verdict("unsupported", f"the plainest call is refused: HTTP {heard.status}: {speaker.message_of(heard)}")


async def _verdict(feature: Feature, speaker: Speaker, mode: Mode) -> Verdict:
    try:
        return await feature.probe(speaker, mode)
    except Refused as refused:
        return _of_refusal(feature, speaker, refused.heard)
    except Breach as breach:
        return Verdict("fail", str(breach))
    except UpstreamError as error:
        return Verdict("fail", str(error))


def _of_refusal(feature: Feature, speaker: Speaker, heard: Heard) -> Verdict:
    """An error where an answer was due: clean or not, and whether the feature may be refused."""
    breaches = speaker.law.check_failure(heard.status, heard.body)
    if breaches:
        return Verdict("fail", f"HTTP {heard.status}, not in the protocol's shape: {breaches[0]}")
    said = f"HTTP {heard.status}: {speaker.message_of(heard)}"
    if heard.status in _BUSY:
        return Verdict("unclear", said)
    if heard.status in _DECLINED and not feature.required:
        return Verdict("unsupported", said)
    return Verdict("fail", said)
