import msgspec
import pytest

from anykey.exchange import prices as module
from anykey.exchange.prices import Prices
from anykey.providers.price_book import PriceBook, Sale, Standing
from anykey.providers.rate_cards import RateCard, TokenRates
from tests.unit.exchange.selling import AT_MS, gateway_with, step_of


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[Sale]:
    """The sales that were looked up in a book."""
    found: list[Sale] = []
    real = PriceBook.standing

    def standing(book: PriceBook, sale: Sale) -> Standing:
        found.append(sale)
        return real(book, sale)

    monkeypatch.setattr(PriceBook, "standing", standing)
    return found


def test_it_is_searched_for_once(searched: list[Sale]) -> None:
    gateway, prices = gateway_with(), Prices()
    step = step_of(gateway)
    found = [prices.of(gateway.snapshot, step, "m", None, AT_MS + number) for number in range(3)]
    assert [price.card.id for price in found if price is not None] == ["*/v1"] * 3
    assert [(sale.model, sale.tier, sale.at_s) for sale in searched] == [("m", None, AT_MS // 1000)]


def test_another_step_model_tier_or_book_is_another_price(searched: list[Sale]) -> None:
    gateway, prices = gateway_with(), Prices()
    step, snapshot = step_of(gateway), gateway.snapshot
    prices.of(snapshot, step, "m", None, AT_MS)
    prices.of(snapshot, msgspec.structs.replace(step), "m", None, AT_MS)
    prices.of(snapshot, step, "alias", None, AT_MS)
    prices.of(snapshot, step, "m", "flex", AT_MS)
    assert len(searched) == 4
    prices.of(gateway_with().snapshot, step, "m", None, AT_MS)
    assert len(searched) == 5


def test_a_card_that_comes_into_force_is_found() -> None:
    gateway, prices = gateway_with(), Prices()
    step, later_s = step_of(gateway), AT_MS // 1000 + 1
    cards = [
        RateCard(id="m/v1", model="m", tokens=TokenRates(input=10**6)),
        RateCard(id="m/v2", model="m", tokens=TokenRates(input=2 * 10**6), effective_from=later_s, version=2),
    ]
    snapshot = msgspec.structs.replace(gateway.snapshot, prices=PriceBook(cards))
    found = [prices.of(snapshot, step, "m", None, AT_MS + late_ms) for late_ms in (0, 999, 1000, 0)]
    assert [price.card.tokens.input for price in found if price is not None] == [10**6, 10**6, 2 * 10**6, 10**6]


def test_what_is_not_ours_to_sell() -> None:
    gateway, prices = gateway_with(), Prices()
    step = msgspec.structs.replace(step_of(gateway), custom="https://example.com/v1")
    assert prices.of(gateway.snapshot, step, "m", None, AT_MS) is None


def test_no_more_is_kept_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRICES_KEPT", 3)
    gateway, prices = gateway_with(), Prices()
    step = step_of(gateway)
    for number in range(7):
        prices.of(gateway.snapshot, step, f"m{number}", None, AT_MS)
    assert len(prices) == 1
    gateway.prices.of(gateway.snapshot, step, "m", None, AT_MS)
    gateway.adopt(gateway.snapshot)
    assert len(gateway.prices) == 0
