"""Laws of the Tap: a relay is the identity (but for a usage chunk nobody asked for), whatever passes, however it is cut."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.usage import Usage
from anykey.protocols.codec import Tap, TapReport
from tests.properties.speakers import CHAT, SPEAKERS, Speaker, decoded
from tests.properties.test_garbage import noise, sse_noise
from tests.properties.words import dumps

each_speaker = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
CUTS = st.lists(st.integers(0, 3000), max_size=8)


def metered(usage: Usage | None) -> Usage | None:
    """The buckets alone: a tap need not keep what it does not count."""
    return usage and msgspec.structs.replace(usage, extras={})


def relayed(tap: Tap, wire: bytes, cuts: list[int]) -> tuple[bytes, bytes]:
    """What passed, and what the tap added at the end."""
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    passed = b"".join(tap.feed(wire[start:end]) for start, end in pairwise(edges))
    return passed, tap.close()


@each_speaker
@given(stuff=st.lists(noise | sse_noise, max_size=5), data=st.data())
def test_a_relay_is_the_identity_whatever_passes(speaker: Speaker, stuff: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(stuff) + data.draw(speaker.streams | st.just(b""))
    for stream in (True, False):
        tap = speaker.codec.tap(speaker.generous, stream=stream, hide_usage=False)
        passed, _ = relayed(tap, wire, data.draw(CUTS))
        assert passed == wire


@each_speaker
@given(data=st.data(), hide=st.booleans())
def test_a_tap_hears_the_same_however_the_stream_is_cut(speaker: Speaker, data: st.DataObject, hide: bool) -> None:
    wire: bytes = data.draw(speaker.streams)
    reports: list[TapReport] = []
    whole: list[bytes] = []
    for cuts in ([], data.draw(CUTS), list(range(len(wire)))):
        tap = speaker.codec.tap(speaker.generous, stream=True, hide_usage=hide)
        whole.append(b"".join(relayed(tap, wire, cuts)))
        reports.append(tap.report)
    assert reports[1:] == reports[:1] * 2
    assert whole[1:] == whole[:1] * 2


@each_speaker
@given(data=st.data())
def test_a_tap_hears_what_the_decoder_reads(speaker: Speaker, data: st.DataObject) -> None:
    wire: bytes = data.draw(speaker.streams)
    tap = speaker.codec.tap(speaker.generous, stream=True, hide_usage=False)
    relayed(tap, wire, [])
    events = decoded(speaker, wire)
    read = assemble(events)
    report = tap.report
    assert report.complete == isinstance(events[-1], ev.Ended)
    assert report.failure is None
    assert metered(report.usage) == metered(read.usage)
    assert report.finish is not None
    said = any(isinstance(event, ev.TextDelta | ev.ReasoningDelta | ev.ArgumentsDelta) for event in events)
    assert report.content or not said


@each_speaker
@given(data=st.data())
def test_a_stream_completed_by_the_tap_is_legal(speaker: Speaker, data: st.DataObject) -> None:
    wire: bytes = data.draw(speaker.streams)
    tap = speaker.codec.tap(speaker.generous, stream=True, hide_usage=False)
    passed, added = relayed(tap, wire, [])
    assert decoded(speaker, passed + added) == decoded(speaker, wire)


@given(wire=CHAT.streams, cuts=CUTS)
def test_hidden_usage_reaches_the_report_and_not_the_caller(wire: bytes, cuts: list[int]) -> None:
    tap = CHAT.codec.tap(CHAT.generous, stream=True, hide_usage=True)
    passed, added = relayed(tap, wire, cuts)
    assert b'"usage"' not in passed + added
    assert metered(tap.report.usage) == metered(assemble(decoded(CHAT, wire)).usage)
    kept = [event for event in decoded(CHAT, wire) if not isinstance(event, ev.UsageReported)]
    assert decoded(CHAT, passed + added) == kept


@each_speaker
@given(data=st.data())
def test_only_the_model_of_a_verbatim_request_changes(speaker: Speaker, data: st.DataObject) -> None:
    body = data.draw(speaker.requests)
    body["stream"] = False
    wire = dumps(body)
    same = speaker.codec.prepare_verbatim(wire, body["model"], speaker.generous)
    assert same.body is wire
    assert not same.hide_usage
    other = speaker.codec.prepare_verbatim(wire, "another", speaker.generous)
    spelled = "models/another" if body["model"].startswith("models/") else "another"
    assert other.body == dumps({**body, "model": spelled})
