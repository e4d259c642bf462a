"""The list of cases and what `--only` picks from it."""

from typing import get_args

import pytest

from bench.cases import LOAD_CASES, NAMES, WireProtocol, chosen


def test_names_are_distinct() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_nothing_named_means_everything() -> None:
    assert chosen(()) == frozenset(NAMES)


def test_a_word_stands_for_itself_and_its_family() -> None:
    assert chosen(("chat",)) == {"chat", "chat-metered", "chat-metered-added", "chat-responses", "chat-gemini"}
    assert chosen(("event-gemini", "rss")) == {
        "event-gemini",
        "event-gemini-from-chat",
        "event-gemini-from-messages",
        "event-gemini-from-responses",
        "rss",
    }
    assert chosen(("agent-to-chat",)) == {"agent-to-chat"}


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(ValueError, match="'agents'"):
        chosen(("agents",))


def test_an_event_is_measured_once_in_each_direction() -> None:
    pairs = [(case.client, case.upstream) for case in LOAD_CASES if case.streams]
    words = get_args(WireProtocol)
    assert sorted(pairs) == sorted((client, upstream) for client in words for upstream in words)


def test_each_protocol_is_read_and_written_in_an_agent_request() -> None:
    crossings = [case for case in LOAD_CASES if case.kind == "agent" and not case.verbatim]
    assert {case.client for case in crossings} == {case.upstream for case in crossings} == set(get_args(WireProtocol))
