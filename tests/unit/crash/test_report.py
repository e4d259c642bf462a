"""The table of the crash tests."""

from tests.crash.oracle import Verdict
from tests.crash.report import Form, form_line, problems, total_line

GOOD = Form("one", 3, 1200, Verdict(1100, 1090, 10, (), (), ()), (1.25, 3.5))
BAD = Form("two", 4, 10, Verdict(9, 8, 0, ("call 1",), ("call 2", "call 3"), ("sum",)), (5.5,))


def test_the_last_line_says_it_all() -> None:
    assert total_line([GOOD]) == "kills 3, requests 1,200, lost 0, doubled 0, wrong amounts 0, recovery max 3.5 s"
    assert total_line([GOOD, BAD]) == "kills 7, requests 1,210, lost 1, doubled 2, wrong amounts 1, recovery max 5.5 s"


def test_a_row_has_the_same_figures() -> None:
    assert "3 kills" in form_line(GOOD)
    assert "10 unknown  lost 0  doubled 0" in form_line(GOOD)


def test_problems_name_what_broke() -> None:
    assert problems(GOOD) == []
    assert problems(BAD) == [
        "lost: call 1",
        "doubled: call 2",
        "doubled: call 3",
        "wrong: sum",
        "two: a recovery took 5.5 s",
    ]
