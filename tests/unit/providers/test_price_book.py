"""Which card a call is sold by."""

from fractions import Fraction

import pytest

from anykey.providers.models import ModelPrices
from anykey.providers.price_book import MOST_KEPT, PriceBook, Sale
from anykey.providers.rate_cards import RateCard, TokenRates

SALE = Sale("fast", "gpt-5", "mine", "openai", "general", "eu", None, 100)


def card(id_: str, model: str, **fields: object) -> RateCard:
    return RateCard(id=id_, model=model, tokens=TokenRates(input=1, output=1), **fields)  # pyright: ignore[reportArgumentType]


def sold_by(sale: Sale, *cards: RateCard) -> str | None:
    """The card's id, whichever order they are in."""
    found = {priced.card.id if (priced := PriceBook(order).find(sale)) else None for order in (cards, cards[::-1])}
    assert len(found) == 1
    return found.pop()


def test_the_most_specific_card_counts() -> None:
    order = [
        card("any", "*"),
        card("glob", "gpt-*"),
        card("upstream", "gpt-5"),
        card("upstream-kind", "gpt-5", provider="openai"),
        card("upstream-provider", "GPT-5", provider="mine"),
        card("deployment", "mine/gpt-5"),
        card("public", "fast"),
        card("public-tier", "fast", tier="flex"),
        card("public-region", "fast", region="eu"),
        card("public-lane", "fast", lane="general"),
        card("public-kind", "fast", provider="openai"),
        card("public-provider", "fast", provider="mine"),
    ]
    sale = SALE._replace(tier="flex")
    for place in range(1, len(order) + 1):
        assert sold_by(sale, *order[:place]) == order[place - 1].id


@pytest.mark.parametrize(
    "fields",
    [{"provider": "yours"}, {"lane": "coding"}, {"region": "us"}, {"tier": "flex"}, {"effective_from": 101}],
)
def test_a_card_for_another_call_does_not_count(fields: dict[str, object]) -> None:
    assert sold_by(SALE, card("other", "fast", **fields)) is None
    assert sold_by(SALE, card("other", "fast", **fields), card("any", "*")) == "any"


def test_the_newest_in_force_counts_and_of_those_the_highest_version() -> None:
    cards = [
        card("a/v1", "fast", version=1, effective_from=10),
        card("a/v2", "fast", version=2, effective_from=100),
        card("a/v3", "fast", version=3, effective_from=100),
        card("a/v4", "fast", version=4, effective_from=200),
    ]
    assert [sold_by(SALE._replace(at_s=at), *cards) for at in (9, 10, 99, 100, 199, 200)] == [
        None,
        *("a/v1", "a/v1", "a/v3", "a/v3", "a/v4"),
    ]


def test_a_kept_answer_ends_when_the_next_card_comes_into_force() -> None:
    book = PriceBook([card("a/v1", "fast"), card("a/v2", "fast", version=2, effective_from=200)])
    found = [book.find(SALE._replace(at_s=at)) for at in (100, 199, 200, 300, 150)]
    assert [one.card.id for one in found if one] == ["a/v1", "a/v1", "a/v2", "a/v2", "a/v1"]


def test_a_service_tier_without_a_card_pays_its_share() -> None:
    book = PriceBook([card("a/v1", "fast", tier_factors={"flex": Fraction(1, 2)})])
    factors = [
        one.card.factor
        for tier in (None, "auto", "default", "priority", "FLEX")
        if (one := book.find(SALE._replace(tier=tier)))
    ]
    assert factors == [1, 1, 1, 1, Fraction(1, 2)]


def test_a_name_with_brackets_is_a_name() -> None:
    assert sold_by(SALE._replace(model="sonnet[1m]"), card("a/v1", "sonnet[1m]")) == "a/v1"
    assert sold_by(SALE._replace(model="sonnet1"), card("a/v1", "sonnet[1m]")) is None


def listed(provider: str, model: str) -> ModelPrices | None:
    if model == "yuan":
        return ModelPrices(input=1, output=1, currency="CNY")
    return ModelPrices(input=7, output=8) if (provider, model) == ("mine", "gpt-5") else None


def test_the_list_price_counts_where_no_card_does() -> None:
    book = PriceBook([card("a/v1", "other")], listed)
    found = book.find(SALE)
    assert found is not None
    assert (found.card.id, found.listed, found.card.tokens) == ("gpt-5@mine/list", True, TokenRates(input=7, output=8))
    set_here = book.find(SALE._replace(model="other"))
    assert set_here is not None
    assert set_here.listed is False


def test_what_nobody_priced_is_unpriced() -> None:
    book = PriceBook((), listed)
    assert book.find(SALE._replace(upstream_model="new")) is None
    assert book.find(SALE._replace(upstream_model="yuan")) is None
    assert PriceBook().find(SALE) is None


def test_names_that_callers_make_up_do_not_pile_up() -> None:
    book = PriceBook([card("any", "*")])
    for number in range(MOST_KEPT + 10):
        assert book.find(SALE._replace(model=f"x{number}")) is not None
    assert len(book._kept) <= MOST_KEPT  # pyright: ignore[reportPrivateUsage] - nothing else tells of it
