"""The form of written cards: whom they are for, from when, and what is kept of them."""

import pytest

from anykey.accounts.written_cards import CardError, Scope, WrittenCard, WrittenRates, check_scope, moment_of, scope_of


def test_moments() -> None:
    assert moment_of("2026-11-01T01:00:00+01:00") == moment_of("2026-11-01") == moment_of(1_793_491_200)


def test_a_series_is_named_by_what_its_card_is_for() -> None:
    assert Scope("m").series() == "m"
    assert Scope("m", "p", None, "eu", "flex").series() == "m@p;region=eu;tier=flex"


@pytest.mark.parametrize("said", ["", "tomorrow", "2026-13-01", "2026-11-01T10:00:00", -1, 1 << 40])
def test_what_is_no_moment_is_refused(said: str | int) -> None:
    with pytest.raises(CardError, match=r"^effective_from: "):
        moment_of(said)


def test_a_scope_is_made_of_names() -> None:
    check_scope(scope_of(WrittenCard(model="org/m@2:free", provider="lab", tier="FLEX")))
    for wrong in (Scope(""), Scope("a\nb"), Scope("m", "a;b"), Scope("m", tier="default"), Scope("m", lane="x" * 300)):
        with pytest.raises(CardError):
            check_scope(wrong)


def test_the_kept_text_has_only_what_was_said() -> None:
    card = WrittenCard(model="m", input="1", tier_factors={"b": "2", "a": "1"})
    assert card.rates() == WrittenRates(input="1", tier_factors={"b": "2", "a": "1"})
    assert card.rates().text() == '{"input":"1","tier_factors":{"a":"1","b":"2"}}'
