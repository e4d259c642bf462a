"""Prices against another implementation and another collection of them, the package genai-prices: the engine on all its prices,
and our list prices where both know a model by its exact name.

Law: a difference is excused by name and with its reason, or it is one. Nothing is left out silently: how many models were
compared is asserted.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from anykey.accounts.pricing import Billable, bill
from anykey.conversation.usage import Usage
from anykey.providers.models import ModelFacts, price_per_million
from anykey.providers.rate_cards import LongPrompt, RateCard, TokenRates, listed_card
from anykey.providers.shipped_models import shipped

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)

CALLS = {
    "plain": Usage(input_tokens=1000, output_tokens=100),
    "long": Usage(input_tokens=400_000, output_tokens=100),
    "cache_read": Usage(input_tokens=1000, cache_read_tokens=5000, output_tokens=100),
    "cache_write_5m": Usage(input_tokens=1000, cache_write_5m_tokens=5000, output_tokens=100),
}
"""What is asked of each model; the last two where both have such a price."""

THEIR_FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
}

VENDORS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "baseten": "baseten",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "gemini": "google",
    "github-copilot": "github-copilot",
    "groq": "groq",
    "kimi": "moonshotai",
    "minimax": "minimax",
    "mistral": "mistral",
    "novita": "novita",
    "openai": "openai",
    "perplexity": "perplexity",
    "together": "together",
    "xai": "x-ai",
    "zai": "zai",
    "zhipu": "zhipuai",
}
"""Our vendors by their names for them. OpenRouter is not among them: a marketplace whose prices move daily, and the two
collections are of two days."""

OLDER = "their price is of an earlier day than ours, or ours than theirs"
EXCUSED = {
    "anthropic/claude-sonnet-4-5": "long prompts: they still have the price of the beta with a million tokens of context",
    "azure/o1-preview": "retired; ours has the price of the European data zone",
    "bedrock/global.anthropic.claude-sonnet-4-*": "long prompts: they lack the tier of the vendor's page",
    "deepseek/*": "prices by the hour: ours are those of the dear hours; and " + OLDER,
    "gemini/gemini-1.5-*": "long prompts of retired models: our source lost the tier",
    "gemini/*image*": "our source tells the price of a token of an image as that of the answer",
    "gemini/gemini-nano-banana-2.1": "our source tells the price of a token of an image as that of the answer",
    "gemini/gemini-omni-*": "our source tells the price of a token of video as that of the answer",
    "groq/openai/gpt-oss-safeguard-20b": "ours rounds 0.0375 down to 0.037",
    "kimi/kimi-k2-turbo-preview": OLDER,
    "mistral/mistral-embed": "embeddings have no answer; they price one",
    "mistral/mistral-large-4": "they have the price of the introduction",
    "novita/*": OLDER,
    "perplexity/sonar*": "they count the fee for each request in, which the catalogue does not have",
    "together/*": OLDER,
    "zhipu/*": "prices in yuan, told in USD at the rates of two days",
}
"""Models that differ, and why: globs over `vendor/model`. One that excuses nobody any more fails."""


class Compared(NamedTuple):
    """A model that both know, by our name, with what we and they make of one kind of call, in nano-USD."""

    name: str
    call: str
    ours: int
    theirs: Fraction


def their_cost(model: ModelInfo, seller: Provider, usage: Usage) -> Fraction:
    asked = TheirUsage(
        input_tokens=usage.total_input(),
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens,
        output_tokens=usage.total_output(),
    )
    return Fraction(model.calc_price(asked, seller, genai_request_timestamp=WHEN).total_price) * 10**9


def same(ours: int, theirs: Fraction) -> bool:
    return abs(ours - theirs) <= Fraction(1, 2)


def price(model: ModelInfo, field: str) -> Any:
    return getattr(model.get_prices(WHEN), THEIR_FIELDS[field], None)


def compared(vendor: str, ours: ModelFacts, model: ModelInfo, seller: Provider) -> Iterator[Compared]:
    assert ours.prices is not None
    card = listed_card(vendor, ours.model, ours.prices)
    assert card is not None
    for call, usage in CALLS.items():
        if call in THEIR_FIELDS and (getattr(ours.prices, call) is None or price(model, call) is None):
            continue
        cost = bill(card, Billable(usage)).cost_nano
        yield Compared(f"{vendor}/{ours.model}", call, cost, their_cost(model, seller, usage))


@pytest.fixture(scope="module")
def both() -> list[Compared]:
    sellers = {seller.id: seller for seller in get_snapshot().providers}
    found: list[Compared] = []
    for vendor, theirs in VENDORS.items():
        models = {model.id.lower(): model for model in sellers[theirs].models}
        for facts in shipped().models_of(vendor):
            model = models.get(facts.model.lower())
            if model is not None and facts.prices is not None:
                found += compared(vendor, facts, model, sellers[theirs])
    return found


def excuse(name: str) -> str | None:
    return next((pattern for pattern in EXCUSED if fnmatchcase(name, pattern)), None)


def test_list_prices_are_theirs_where_both_know_the_model(both: list[Compared]) -> None:
    different = {one.name for one in both if not same(one.ours, one.theirs)}
    equal = {one.name for one in both} - different
    print(f"{len(equal)} models have the same prices, {len(different)} are excused: {sorted(different)}")
    assert [one for one in both if one.name in different and excuse(one.name) is None] == []
    assert len(equal) >= 420
    assert Counter(map(excuse, different)).keys() == EXCUSED.keys()


def level(prices: ModelPrice, prompt: int) -> dict[str, Decimal]:
    """The prices that hold for a prompt of that length."""
    found: dict[str, Decimal] = {}
    for field, theirs in THEIR_FIELDS.items():
        said: Any = getattr(prices, theirs)
        if isinstance(said, TieredPrices):
            said = next((tier.price for tier in reversed(said.tiers) if prompt > tier.start), said.base)
        if said is not None:
            found[field] = said
    return found


def card_of(prices: ModelPrice) -> RateCard:
    """Their prices as a card of ours."""
    fields: list[Any] = [getattr(prices, theirs) for theirs in THEIR_FIELDS.values()]
    starts = sorted({tier.start for said in fields if isinstance(said, TieredPrices) for tier in said.tiers})

    def rates(prompt: int) -> dict[str, int | None]:
        return {field: price_per_million(said) for field, said in level(prices, prompt).items()}

    return RateCard(
        id="m/v1",
        model="m",
        tokens=TokenRates(**rates(0)),
        long_prompts=tuple(LongPrompt(over_tokens=start, **rates(start + 1)) for start in starts),
    )


def test_the_engine_makes_the_same_of_their_prices() -> None:
    """Of all models with a price for both sides, but for the few with a fee for each request. Where a price of theirs has digits
    below a pico-USD (a third of a cent), each token may be half a pico-USD off."""
    checked, rounded, different = 0, 0, list[Any]()
    for seller in get_snapshot().providers:
        for model in seller.models:
            prices = model.get_prices(WHEN)
            if prices.requests_kcount is not None or prices.input_mtok is None or prices.output_mtok is None:
                continue
            card = card_of(prices)
            checked += 1
            fine = any(said * 10**6 % 1 for said in level(prices, 0).values())
            rounded += fine
            for call, usage in CALLS.items():
                if call in THEIR_FIELDS and price(model, call) is None:
                    continue
                ours, theirs = bill(card, Billable(usage)).cost_nano, their_cost(model, seller, usage)
                slack = Fraction(usage.total_input() + usage.total_output(), 2000) if fine else 0
                if abs(ours - theirs) > slack + Fraction(1, 2):
                    different.append((seller.id, model.id, call, ours, float(theirs)))
    assert different == []
    assert checked >= 1800
    assert rounded < checked / 50
