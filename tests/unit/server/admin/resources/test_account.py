"""What the holder of any key is told about that key."""

import asyncio

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from tests.unit.server.admin.resources.conftest import Api, Key

pytestmark = pytest.mark.asyncio(loop_scope="session")


CHARGE = """INSERT INTO charges (id, at, state, process, key_id, organisation, account, budgets, client, client_protocol, model,
reserved_nano, cost_nano, lines) VALUES (?, 1, 'settled', 'p', ?, ?, ?, '[]', 'c', 'openai_chat', 'm', 5, 1230000, ?)"""
AT = 18_000 * 86_400_000


async def limited(api: Api, organisation: str) -> Key:
    """A key with a budget, a rate and two models."""
    fields = KeyFields(
        organisation=organisation,
        allowed_models=("test-*",),
        budgets={"1d": 5 * 10**9, "lifetime": 10**10},
        requests_per_minute=7,
    )
    made = await asyncio.to_thread(create_key, api.home, "limited", fields=fields)
    return Key(made.key.id, made.text)


async def test_what_a_key_may_do(api: Api) -> None:
    key = await limited(api, await api.organisation())
    told = await api.told("GET", "/v1/key", None, key)
    assert (told["id"], told["group"], told["models"]) == (key.id, "default", {"the key": ["test-*"]})
    assert told["rates"] == {"requests_per_minute": 7, "tokens_per_minute": None, "concurrency": None}
    assert [(one["period"], one["limit_usd"], one["remaining_usd"]) for one in told["budgets"]] == [
        ("lifetime", "10.00", "10.00"),
        ("1d", "5.00", "5.00"),
    ]
    assert told["remaining_usd"] == "5.00"
    assert (await api.told("GET", "/v1/key"))["remaining_nano"] is None


async def test_what_a_prepaid_key_has(api: Api) -> None:
    organisation = await api.organisation()
    key = await limited(api, organisation)
    await api.told("PATCH", f"/admin/v1/organisations/{organisation}", {"prepaid": True})
    await api.told("POST", f"/admin/v1/organisations/{organisation}/wallet/transfers", {"amount_usd": "0.75"})
    balance = await api.told("GET", "/v1/balance", None, key)
    assert (balance["prepaid"], balance["credit_usd"], balance["available_nano"]) == (True, "0.75", 750_000_000)
    assert (await api.told("GET", "/v1/key", None, key))["remaining_usd"] == "0.75"
    assert (await api.told("GET", "/v1/balance"))["credit_nano"] is None


async def test_its_usage_and_no_other_keys(api: Api) -> None:
    organisation = await api.organisation()
    key = await limited(api, organisation)
    mine = await api.call(AT, organisation=organisation, key_id=key.id)
    others = await api.call(AT, organisation=organisation)
    usage = await api.told("GET", "/v1/usage", None, key)
    assert (usage["total"]["requests"], usage["total"]["cost_usd"]) == (1, "0.00123")
    assert [(one["at_ms"], one["group"]) for one in usage["items"]] == [(AT, {"model": "gpt-5"})]
    call = await api.told("GET", f"/v1/usage/{mine}", None, key)
    assert (call["state"], call["cost_nano"], call["tokens"]["input"]) == ("none", 1_230_000, 3)
    assert await api.refused("GET", f"/v1/usage/{others}", None, key) == (404, "requests.not_found")
    joined = await api.ask("GET", f"/v1/v1/usage/{mine}", None, key)
    assert (joined.status, joined.headers["x-anykey-canonical-path"]) == (200, f"/v1/usage/{mine}")


async def test_the_lines_of_a_charge(api: Api) -> None:
    organisation = await api.organisation()
    key = await limited(api, organisation)
    mine = await api.call(AT, organisation=organisation, key_id=key.id, cost_basis="upstream", price_id="m/v1")

    def run(statement: str, *values: object) -> None:
        connection = api.home.database.connect()
        connection.execute(statement, values)
        connection.close()

    lines = '{"lines":[{"unit":"input","quantity":3,"price_pico":400000,"amount_pico":1200000}],"times":"3/2"}'
    await asyncio.to_thread(run, CHARGE, mine, key.id, organisation, f"postpaid:{organisation}", lines)
    call = await api.told("GET", f"/v1/usage/{mine}", None, key)
    await asyncio.to_thread(
        run, "DELETE FROM charges WHERE id = ?", mine
    )  # no money moved for it: the ledger would not be right
    assert (call["state"], call["times"], call["reserved_nano"]) == ("settled", "3/2", 5)
    assert call["lines"][0] == {"unit": "input", "quantity": 3, "price_pico": 400000, "amount_pico": 1200000}
