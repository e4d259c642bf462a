from fractions import Fraction

import msgspec
import pytest

from anykey.conversation.usage import Usage
from anykey.exchange.costing import cost_comment, cost_text, price_of, prices_asked, reckon
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from tests.fakes.money import ANSWER_NANO, INPUT_NANO, OUTPUT_NANO, cost_nano
from tests.unit.exchange.selling import exchange_of, gateway_with, step_of

SEVEN_THREE = Usage(7, output_tokens=3)
SAYS_HI = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
"""Five tokens: four for the message, one for its word."""


@pytest.fixture
def gateway() -> Gateway:
    return gateway_with()


def over(gateway: Gateway, usage: Usage | None = SEVEN_THREE, *, complete: bool = True, said: int = 11) -> Exchange:
    """A call whose answer was heard."""
    exchange = exchange_of(SAYS_HI)
    exchange.step = step_of(gateway)
    exchange.usage, exchange.complete, exchange.said_bytes = usage, complete, said
    return exchange


def reckoned(exchange: Exchange, gateway: Gateway) -> tuple[str | None, int | None]:
    reckon(exchange, gateway)
    return exchange.cost_basis, None if exchange.cost is None else exchange.cost.cost_nano


def test_the_upstreams_usage_is_charged_exactly(gateway: Gateway) -> None:
    usage = Usage(1001, 17, output_tokens=333, reasoning_tokens=5)
    exchange = over(gateway, usage)
    assert reckoned(exchange, gateway) == ("upstream", cost_nano(usage))
    assert (exchange.price_id, exchange.usage, exchange.usage_source) == ("*/v1", usage, "upstream")


def test_a_groups_multiplier_counts(gateway: Gateway) -> None:
    exchange = over(gateway)
    exchange.group = "dear"
    assert reckoned(exchange, gateway) == ("upstream", ANSWER_NANO * 3 // 2)


@pytest.mark.parametrize(
    ("usage", "complete", "tokens"),
    [
        (None, True, (5, 3)),
        (None, False, (5, 3)),
        (Usage(7), True, (7, 3)),
        (Usage(0, output_tokens=3), True, (5, 3)),
        (Usage(7, output_tokens=1), False, (7, 3)),
        (Usage(7, output_tokens=9), False, (7, 9)),
        (Usage(0, 40, output_tokens=1), False, (0, 3)),
    ],
)
def test_what_the_upstream_did_not_tell_is_counted(
    gateway: Gateway, usage: Usage | None, complete: bool, tokens: tuple[int, int]
) -> None:
    exchange = over(gateway, usage, complete=complete)
    basis, nano = reckoned(exchange, gateway)
    found = exchange.usage or Usage()
    assert (basis, exchange.usage_source) == ("estimated", "estimated")
    assert (found.input_tokens, found.output_tokens) == tokens
    assert nano == tokens[0] * INPUT_NANO + tokens[1] * OUTPUT_NANO + found.cache_read_tokens * 370


def test_usage_of_the_beginning_is_no_usage_of_the_whole(gateway: Gateway) -> None:
    exchange = over(gateway, Usage(7, output_tokens=1))
    exchange.early_usage = True
    assert reckoned(exchange, gateway) == ("estimated", ANSWER_NANO)


def test_an_answer_without_a_word_is_what_the_upstream_says(gateway: Gateway) -> None:
    assert reckoned(over(gateway, Usage(7), said=0), gateway) == ("upstream", 7 * INPUT_NANO)


def test_the_prompt_of_several_calls_is_paid_several_times(gateway: Gateway) -> None:
    exchange = over(gateway, None)
    exchange.copies = 3
    reckon(exchange, gateway)
    assert (exchange.usage or Usage()).input_tokens == 15


def test_what_was_learnt_of_a_deployment_is_heeded(gateway: Gateway) -> None:
    gateway.calibration.learn("lab/m", 100, 200)
    exchange = over(gateway, None)
    reckon(exchange, gateway)
    assert (exchange.usage or Usage()).input_tokens == 10


def test_no_answer_is_free_or_unknown(gateway: Gateway) -> None:
    assert reckoned(exchange_of(SAYS_HI), gateway) == ("free", None)
    silent = over(gateway, Usage(7), complete=False, said=0)
    assert reckoned(silent, gateway) == ("free", None)
    assert silent.row(0.0).cost_nano == 0
    for mark in ("asking", "outcome_unknown"):
        lost = over(gateway, None, complete=False, said=0)
        setattr(lost, mark, True)
        assert reckoned(lost, gateway) == ("unknown", None)
        assert lost.row(0.0).cost_nano is None


def test_an_answer_after_an_unknown_attempt_is_paid_once(gateway: Gateway) -> None:
    exchange = over(gateway)
    exchange.outcome_unknown = True
    assert reckoned(exchange, gateway) == ("upstream", ANSWER_NANO)


def test_what_has_no_price() -> None:
    gateway = gateway_with(card=b'model = "other"\ninput = "1"\noutput = "1"\n')
    exchange = over(gateway)
    assert reckoned(exchange, gateway) == ("unpriced", None)
    assert cost_text(exchange, gateway) is None
    assert cost_comment(exchange, gateway) == b""


def test_a_host_of_the_callers_own_is_not_sold(gateway: Gateway) -> None:
    exchange = over(gateway)
    own = msgspec.structs.replace(step_of(gateway), custom="https://example.com/v1")
    assert price_of(exchange, own, gateway) is None


TIERED = b'model = "*"\ninput = "2"\noutput = "2"\ntier_factors = { flex = "0.5", priority = "3" }\n'


@pytest.mark.parametrize(
    ("asked", "answered", "nano"),
    [
        (b'"flex"', "flex", 10_000),
        (b'"flex"', "default", 20_000),
        (b'"flex"', None, 20_000),
        (b'"auto"', "priority", 60_000),
        (b'"auto"', "auto", 20_000),
        (b'"priority"', "on_demand", 20_000),
        (b"null", "priority", 60_000),
        (b"7", "scale", 20_000),
    ],
)
def test_the_tier_that_the_answer_names_is_charged(asked: bytes, answered: str | None, nano: int) -> None:
    gateway = gateway_with(card=TIERED)
    exchange = exchange_of(b'{"model":"m","service_tier":%b}' % asked)
    exchange.step, exchange.usage, exchange.complete = step_of(gateway), SEVEN_THREE, True
    exchange.tier = answered
    assert reckoned(exchange, gateway) == ("upstream", nano)


@pytest.mark.parametrize(
    ("said", "factors"),
    [
        (b"", [1]),
        (b',"service_tier":"standard_only"', [1]),
        (b',"service_tier":"flex"', [Fraction(1, 2), 1]),
        (b',"service_tier":"PRIORITY"', [3, 1]),
        (b',"service_tier":"auto"', [1, Fraction(1, 2), 3]),
        (b',"service_tier":["flex"]', [1]),
        (b',"speed":"fast"', [1, 1]),
    ],
)
def test_what_a_call_may_come_to_be_sold_by(said: bytes, factors: list[Fraction | int]) -> None:
    gateway = gateway_with(card=TIERED)
    exchange = exchange_of(b'{"model":"m"%b}' % said)
    found = prices_asked(exchange, step_of(gateway), gateway)
    assert [price.card.factor for price in found if price is not None] == factors


def test_the_operator_is_told_once_of_what_has_no_price(caplog: pytest.LogCaptureFixture) -> None:
    gateway = gateway_with(card=b'model = "other"\ninput = "1"\noutput = "1"\n')
    for _ in range(2):
        reckon(over(gateway), gateway)
    exchange = over(gateway)
    exchange.step = msgspec.structs.replace(step_of(gateway), custom="https://example.com/v1")
    reckon(exchange, gateway)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["lab/m has no price"]


def test_it_is_told_once_and_stands(gateway: Gateway) -> None:
    exchange = over(gateway)
    assert cost_text(exchange, gateway) == b"0.0000598"
    exchange.usage = Usage(70_000)
    assert cost_comment(exchange, gateway) == b": x-anykey-cost 0.0000598\n\n"
    assert exchange.row(0.0).cost_nano == ANSWER_NANO


def test_copies_cost_nobody_anything(gateway: Gateway) -> None:
    exchange = over(gateway)
    exchange.chargeable = False
    assert reckoned(exchange, gateway) == (None, None)
