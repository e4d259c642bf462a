"""The list of cases and what `--only` picks from it."""

import pytest

from bench.cases import LOAD_CASES, NAMES, chosen


def test_names_are_distinct() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_nothing_named_means_everything() -> None:
    assert chosen(()) == frozenset(NAMES)


def test_a_word_stands_for_itself_and_its_family() -> None:
    assert chosen(("agent",)) == {"agent", "agent-to-chat", "agent-to-messages"}
    assert chosen(("event", "rss")) == {
        "event-chat",
        "event-messages",
        "event-to-chat",
        "event-to-messages",
        "rss",
    }
    assert chosen(("agent-to-chat",)) == {"agent-to-chat"}


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(ValueError, match="'agents'"):
        chosen(("agents",))


def test_each_direction_is_measured_plain_and_streamed() -> None:
    for streams in (False, True):
        pairs = {(case.client, case.upstream) for case in LOAD_CASES if case.streams is streams}
        assert pairs == {(a, b) for a in ("chat", "messages") for b in ("chat", "messages")}
    assert [case.name for case in LOAD_CASES if case.verbatim] == ["chat", "agent", "event-chat", "event-messages"]
