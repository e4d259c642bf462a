"""What callers and operators write, chosen to hurt: numbers, patterns, hosts, names, texts of many pieces."""

from typing import Any

import pytest

from anykey.exchange.affinity import conversation_mark
from anykey.exchange.body_facts import MOST_PIECES, read_body
from anykey.providers.models import ModelFacts, ProviderModel
from anykey.routing.ask import Ask, Facts
from anykey.routing.building import build_snapshot
from anykey.routing.hosts import check_public_host, is_public_address
from anykey.routing.names import fault_of_pattern
from anykey.routing.plan import Unroutable, plan
from anykey.routing.queries import compile_query
from tests.unit.routing.configuring import Given, provider

HUGE = 10**400


@pytest.mark.parametrize(
    ("said", "operator", "operand", "holds"),
    [
        (HUGE, "$gt", 5, True),
        (-HUGE, "$gt", 5, False),
        (5, "$lt", HUGE, True),
        (5, "$eq", HUGE, False),
    ],
)
def test_whole_numbers_of_any_size_have_an_order(said: int, operator: str, operand: int, holds: bool) -> None:
    facts = Facts(model="m", protocol="openai_chat", max_tokens=said)
    assert compile_query({"params.max_tokens": {operator: operand}})(facts) is holds


@pytest.mark.parametrize("operator", ["$eq", "$gt", "$gte", "$lt", "$lte"])
def test_a_text_that_is_called_nan_is_no_number(operator: str) -> None:
    facts = Facts(model="m", protocol="openai_chat", metadata={"tier": "nan"})
    assert compile_query({"metadata.tier": {operator: 3}})(facts) is False


@pytest.mark.parametrize(
    "pattern",
    ["a{1,200}a{1,200}a{1,200}b", ".*[^b]*(a|ab).{0,100}a{1,200}", ".{1,}.{1,}.{1,}b", "a{2}b{2}c{2}"],
)
def test_counted_repeats_are_repeats(pattern: str) -> None:
    assert fault_of_pattern(pattern, "x") == "it has more than 2 of *, + and {"


@pytest.mark.parametrize("address", ["fec0::1", "feff::1"])
def test_site_local_addresses_are_no_public_ones(address: str) -> None:
    assert not is_public_address(address)
    assert check_public_host(f"https://[{address}]/v1") is not None


@pytest.mark.parametrize("field", ["messages", "contents", "input", "system", "tools"])
@pytest.mark.parametrize("piece", [b"{}", b"[]", b'""', b"1"])
def test_a_field_of_very_many_pieces_is_counted_as_one_text(field: str, piece: bytes) -> None:
    body = b'{"model":"m","thinking":{"type":"enabled"},"%b":[%b]}' % (
        field.encode(),
        b",".join([piece] * (MOST_PIECES + 2)),
    )
    facts = read_body(body)
    assert abs(facts.tokens - len(body) / 4) < 30
    assert (facts.thinking, facts.tools) == (True, 0)


def test_the_mark_of_a_conversation_is_not_looked_for_among_millions_of_pieces() -> None:
    first = b'{"role":"user","content":"hi"}'
    few, many = (b'{"messages":[%b%b]}' % (first, b",{}" * count) for count in (10, 1_100_000))
    assert (conversation_mark((), few) is None, conversation_mark((), many)) == (False, None)


def test_an_unknown_name_is_not_compared_with_all_there_are() -> None:
    def told(count: int) -> str:
        models = tuple(ProviderModel(f"model-{number:05}", False, ModelFacts("v", "m")) for number in range(count))
        known: dict[str, Any] = {"a": models, "b": ()}
        snapshot = build_snapshot(Given((provider("custom", "a"), provider("custom", "b"))), provider_models={**known})
        found = plan(snapshot, Ask(model="amodel-00799", protocol="openai_chat"))
        assert isinstance(found, Unroutable)
        return found.message

    assert "'a/model-00799'" not in told(2000)
    assert "Did you mean" in told(2000)
