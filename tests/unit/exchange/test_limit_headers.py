"""How limits are told in headers."""

import pytest

from anykey.accounts.purse import Budget, Period, Rate
from anykey.accounts.rates import RateState
from anykey.conversation.parts import ProtocolName
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.limit_headers import duration, limit_headers, rfc3339
from anykey.protocols.catalog import CODECS
from anykey.storage.charges import BudgetState, Opened, Refused

AT_MS = 1_700_000_000_000


def exchange(protocol: ProtocolName) -> Exchange:
    return Exchange("req_1", Inbound(CODECS[protocol], (), b"{}", "curl"), 0.0, AT_MS)


def state(owner: str, used: int) -> RateState:
    return RateState(Rate(f"{owner}:tokens", "key", owner, "tokens", 100), used, 90_500)


class Held:
    """What a hold says of itself."""

    def __init__(self, opened: Opened | None, refused: Refused | None = None) -> None:
        self.opened = opened
        self.refused = refused


def told(call: Exchange, hold: Held | None = None) -> dict[str, str]:
    call.hold = hold  # pyright: ignore[reportAttributeAccessIssue] - two attributes of a Hold are all that is read
    return {name.decode(): value.decode() for name, value in limit_headers(call)}


def test_a_key_without_limits_is_told_nothing() -> None:
    assert limit_headers(exchange("openai_chat")) == ()


def test_the_tightest_of_a_kind_is_told() -> None:
    call = exchange("openai_chat")
    call.rates = (state("a", 10), state("b", 70), state("c", 50))
    assert told(call) == {
        "x-anykey-ratelimit-limit-tokens": "100",
        "x-anykey-ratelimit-remaining-tokens": "30",
        "x-anykey-ratelimit-reset-tokens": "91",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "30",
        "x-ratelimit-reset-tokens": "1m30.5s",
    }


def test_anthropics_clients_read_a_time() -> None:
    call = exchange("anthropic_messages")
    call.rates = (state("a", 120),)
    headers = told(call)
    assert headers["anthropic-ratelimit-tokens-remaining"] == "0"
    assert headers["anthropic-ratelimit-output-tokens-reset"] == "2023-11-14T22:14:51Z"
    assert not [name for name in headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, b"0s"), (17, b"17ms"), (1000, b"1s"), (8640, b"8.64s"), (60_000, b"1m0s"), (61_001, b"1m1.001s")],
)
def test_durations(ms: int, text: bytes) -> None:
    assert duration(ms) == text


def test_a_moment_is_never_too_early() -> None:
    assert rfc3339(1) == b"1970-01-01T00:00:01Z"
    assert rfc3339(0) == b"1970-01-01T00:00:00Z"


def budget(period: Period, spent: int, held: int, resets_ms: int | None) -> BudgetState:
    one = Budget(f"key:k:{period}", "key", "k", period, 10**9)
    return BudgetState(one, spent, held, resets_ms)


def test_money_is_told_exactly() -> None:
    states = (budget("lifetime", 5, 0, None), budget("5h", 10**8, 2 * 10**8 + 1, AT_MS))
    headers = told(exchange("gemini_generate"), Held(Opened(states, 1_230_000)))
    assert headers == {
        "x-anykey-budget-name": "key:5h",
        "x-anykey-budget-limit": "1.00",
        "x-anykey-budget-remaining": "0.699999999",
        "x-anykey-budget-reset": "2023-11-14T22:13:20Z",
        "x-anykey-credit-remaining": "0.00123",
    }
    assert told(exchange("gemini_generate"), Held(Opened((), None))) == {}
    assert told(exchange("gemini_generate"), Held(None)) == {}


def test_a_refusal_names_the_budget_that_refused() -> None:
    states = (budget("5h", 10**9, 0, AT_MS),)
    full = Refused(credit=False, state=budget("lifetime", 10**9, 7, None), needed_nano=9, available_nano=0)
    headers = told(exchange("openai_chat"), Held(Opened(states, None), full))
    assert (headers["x-anykey-budget-name"], headers["x-anykey-budget-remaining"]) == ("key:lifetime", "0.00")
    assert "x-anykey-budget-reset" not in headers
    empty = Refused(credit=True, state=None, needed_nano=9, available_nano=5)
    assert told(exchange("openai_chat"), Held(None, empty)) == {"x-anykey-credit-remaining": "0.000000005"}
