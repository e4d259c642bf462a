"""What a report says of itself."""

from anykey.conformance.records import Cell, Outcome, Report


def report(*outcomes: Outcome, feature: str = "text") -> Report:
    return Report("u", "m", 1, tuple(Cell("openai_chat", feature, "whole", outcome) for outcome in outcomes))


def test_a_promise_is_kept_when_something_answers_and_nothing_fails() -> None:
    assert report("pass", "unclear", "unsupported", "absent").kept
    assert not report("pass", "fail").kept
    assert not report("unsupported", "unclear").kept
    assert not report("pass", feature="models").kept


def test_counts_name_every_outcome() -> None:
    assert report("pass", "pass", "fail").counts() == {
        "pass": 2,
        "fail": 1,
        "unclear": 0,
        "unsupported": 0,
        "absent": 0,
    }
