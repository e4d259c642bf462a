"""Planned calls in the words of the price book, and the prices of a snapshot."""

from fractions import Fraction

from anykey.providers.models import ModelFacts, ModelPrices, ProviderModel
from anykey.providers.price_book import Sale
from anykey.providers.rate_cards import ONE, RateCard, TokenRates
from anykey.routing.building import build_snapshot
from anykey.routing.configured import GroupSettings, ModelSettings, RoutingSettings
from anykey.routing.sales import listed_sales, sale_of
from tests.unit.routing.configuring import Given, planned, provider, snapshot


def test_the_sale_of_a_step() -> None:
    known = snapshot(provider("byteplus", "ark"), provider("anthropic"), fast=("ark/seed-1", "anthropic/claude-opus-5"))
    plan = planned(known, "fast")
    assert [sale_of(known, step, plan.model, "flex", 7) for step in plan.steps] == [
        Sale("fast", "seed-1", "ark", "byteplus", "general", plan.steps[0].endpoint.region, "flex", 7),
        Sale("fast", "claude-opus-5", "anthropic", "anthropic", "general", "global", "flex", 7),
    ]


def test_the_catalogue_prices_what_no_card_does() -> None:
    card = RateCard(id="fast/v1", model="fast", tokens=TokenRates(input=1))
    models = (ModelSettings("fast", ("anthropic/claude-opus-5",)),)
    known = build_snapshot(Given((provider("anthropic"),), models), rate_cards=[card])
    ((name, sale), *_) = listed_sales(known, 1)
    assert name == "fast"
    assert known.prices.find(sale) == (card, False)
    listed = known.prices.find(sale._replace(model="claude-opus-5"))
    assert listed is not None
    assert listed.listed
    assert listed.card.tokens.input is not None
    assert known.prices.find(sale._replace(upstream_model="claude-not-yet", model="x")) is None


def test_a_plan_sold_by_quota_has_no_list_price_but_may_have_a_card() -> None:
    given = Given((provider("byteplus_coding", "plan"),))
    sale = Sale("glm-5", "dola-seed-2-1-turbo-260628", "plan", "byteplus_coding")
    assert build_snapshot(given).prices.find(sale) is None
    free = RateCard(id="f/v1", model="*", provider="byteplus_coding", tokens=TokenRates(input=0, output=0))
    assert build_snapshot(given, rate_cards=[free]).prices.find(sale) == (free, False)


def test_prices_on_a_providers_own_list_count() -> None:
    facts = ModelFacts("openrouter", "m", prices=ModelPrices(input=3, output=4))
    known = build_snapshot(Given((provider("openrouter"),)), None, {"openrouter": (ProviderModel("m", facts=facts),)})
    found = known.prices.find(Sale("openrouter/m", "m", "openrouter", "openrouter"))
    assert found is not None
    assert found.card.tokens == TokenRates(input=3, output=4)


def test_each_listed_name_is_a_sale_of_each_deployment() -> None:
    models = (ModelSettings("fast", ("lab/a", "lab/b"), aliases=("quick",)), ModelSettings("x-*", ("lab/c",)))
    known = build_snapshot(Given((provider("custom", "lab", models=("a",)),), models))
    assert [(name, sale.model, sale.upstream_model) for name, sale in listed_sales(known, 1)] == [
        ("fast", "fast", "a"),
        ("fast", "fast", "b"),
        ("quick", "fast", "a"),
        ("quick", "fast", "b"),
        ("lab/a", "a", "a"),
    ]


def test_a_multiplier_of_one_is_known_at_a_glance() -> None:
    groups = (GroupSettings("a", price_multiplier=Fraction(2, 2)), GroupSettings("b", price_multiplier=Fraction(3, 2)))
    known = build_snapshot(Given((provider("anthropic"),), routing=RoutingSettings(groups=groups)))
    assert known.groups["a"].price_multiplier is known.groups["default"].price_multiplier is ONE
    assert known.groups["b"].price_multiplier == Fraction(3, 2)
