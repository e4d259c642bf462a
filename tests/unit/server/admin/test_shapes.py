"""What inputs and answers have in common."""

import pytest
from pydantic import ValidationError

from anykey.server.admin.refusals import Refusal
from anykey.server.admin.shapes import Asked, Filter, Globs, Text, Told, Word, listed, nano, said, strings, usd
from anykey.storage.paging import Page


class Body(Asked):
    name: Word | None = None
    group: Text | None = None
    models: Globs | None = None
    strict: bool | None = None


class Line(Told):
    n: int


def test_what_was_sent_is_told_apart_from_what_was_not() -> None:
    empties = {"name": None, "group": "", "models": (), "strict": None}
    assert said(Body(), **empties) == {}
    assert said(Body(name=None, group=None, models=None), **empties) == {"group": "", "models": ()}
    assert said(Body(name="n", models=["a", "b"], strict=False), **empties) == {
        "name": "n",
        "models": ("a", "b"),
        "strict": False,
    }


@pytest.mark.parametrize(
    "body", [{"nmae": "x"}, {"name": ""}, {"name": "a\0b"}, {"name": "a\nb"}, {"name": 1}, {"strict": 1}]
)
def test_a_body_is_exactly_what_its_class_says(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Body.model_validate(body)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"page": 1}])
def test_a_query_is_bounded_and_known(query: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Filter.model_validate(query)


def test_amounts_are_exact_text() -> None:
    assert (usd(1), usd(None), nano("0.000000001", "x")) == ("0.000000001", None, 1)
    with pytest.raises(Refusal, match=r"limits_usd\.1d") as refused:
        nano("99999999999", "limits_usd.1d")
    assert (refused.value.status, refused.value.field) == (422, "limits_usd.1d")


def test_a_page_keeps_its_cursor() -> None:
    page = listed(Page((1, 2), "next"), lambda n: Line(n=n))
    assert page.model_dump() == {"items": [{"n": 1}, {"n": 2}], "next": "next"}
    assert (strings(("a",)), strings(None)) == (["a"], None)
