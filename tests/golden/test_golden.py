"""Every golden case: what goes upstream, what comes back to the client, and what was lost on the way."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest

from anykey.conversation.events import StreamEvent
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from tests.fakes.converse_model import faults
from tests.golden.playing import Played, play
from tests.golden.reading import Case, Record, masked, read_all, read_events

CASES = read_all()
CUTS = (1, 7)
"""Sizes in bytes of the pieces in which every stream is fed once more."""


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_case(case: Case) -> None:
    played = play(case)
    if "upstream request" in case.blocks:
        assert played.upstream_body is not None, f"refused: {played.reply}"
        check_readable(case, played.upstream_body)
        compare("upstream request", json.loads(played.upstream_body), case.blocks["upstream request"].json())
    compare_reply(case, played)
    compare("losses", sorted(f"{loss.kind}:{loss.path}" for loss in played.losses), case.losses())
    reply = case.blocks.get("upstream reply")
    if reply is not None and reply.is_stream and reply.status == 200:
        for size in CUTS:
            assert play(case, size) == played, f"read {size} bytes at a time, the stream says something else"


def check_readable(case: Case, body: bytes) -> None:
    """What goes out is legal in the upstream's own reading; nobody reads Converse here but its service model."""
    if case.upstream not in CODECS:
        assert faults(json.loads(body)) == []
        return
    path = RequestPath("m", stream=False) if case.upstream == "gemini_generate" else RequestPath()
    check_request(CODECS[case.upstream].decode_request(body, path).value)


def read_back(case: Case, stream: bytes) -> list[StreamEvent]:
    """The client's stream as its own protocol reads it: the events must be legal."""
    codec = CODECS[case.client]
    decoder = codec.stream_decoder(codec.dialect({}))
    return [*decoder.feed(stream), *decoder.close()]


def compare_reply(case: Case, played: Played) -> None:
    """Status, headers and body of what the client got, where the case says them."""
    expected = case.blocks.get("client reply")
    if expected is None:
        assert "upstream reply" not in case.blocks, "a reply is given and none is expected"
        return
    reply = played.reply
    assert reply is not None, "no reply was given to encode"
    assert reply.status == expected.status, reply.body.decode()
    if expected.language == "sse":
        check_stream(read_back(case, reply.body))
        text = reply.body.decode()
        if case.client == "gemini_generate":  # Google ends lines with CRLF
            assert text.count("\r\n") == text.count("\n")
            text = text.replace("\r\n", "\n")
        given = read_events(text)
        compare("client reply", records(given), records(read_events(f"{expected.text}\n\n")))
    else:
        compare("client reply", json.loads(reply.body), expected.json())
    if "client reply headers" in case.blocks:
        wanted = case.blocks["client reply headers"].json()
        headers = {name.decode(): value.decode() for name, value in reply.headers}
        compare("client reply headers", {name: headers.get(name) for name in wanted}, wanted)
    if "client reply folded" in case.blocks:
        assert played.folded is not None
        compare("client reply folded", json.loads(played.folded), case.blocks["client reply folded"].json())


def records(stream: list[Record]) -> list[Any]:
    """A stream as values that can be compared and printed."""
    return [{"event": record.event, "data": record.data} for record in stream]


def compare(what: str, actual: Any, expected: Any) -> None:
    """Equal as JSON but for wildcards; a difference is shown line by line."""
    sides = (spell(expected), spell(masked(actual, expected)))
    if sides[0] == sides[1]:
        return
    diff = "\n".join(difflib.unified_diff(*sides, "expected", "actual", lineterm="", n=4))
    pytest.fail(f"{what} differs:\n{diff}", pytrace=False)


def spell(value: Any) -> list[str]:
    """Values as lines; an event of a stream on one line."""
    if isinstance(value, list) and all(isinstance(item, str) or "event" in item for item in value):  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        return [item if isinstance(item, str) else json.dumps(item, sort_keys=True) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).splitlines()


def test_there_are_enough_cases_of_both_directions() -> None:
    directions = [(case.client, case.upstream) for case in CASES]
    assert len(directions) >= 80
    assert directions.count(("openai_chat", "anthropic_messages")) >= 30
    assert directions.count(("anthropic_messages", "openai_chat")) >= 30
