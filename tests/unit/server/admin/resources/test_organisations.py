"""Organisations over HTTP: made, changed, closed, and shown by pages."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "/admin/v1/organisations"


async def test_a_life_of_an_organisation(api: Api) -> None:
    made = await api.told("POST", ALL, {"name": "Ant GmbH", "prepaid": True, "low_balance_usd": "2.50"})
    assert (made["prepaid"], made["low_balance_nano"], made["low_balance_usd"]) == (True, 2_500_000_000, "2.50")
    changed = await api.told("PATCH", f"{ALL}/{made['id']}", {"allowed_models": ["gpt-*"], "low_balance_usd": None})
    assert (changed["allowed_models"], changed["low_balance_nano"], changed["prepaid"]) == (["gpt-*"], None, True)
    assert (await api.told("GET", f"{ALL}/{made['id']}")) == changed
    assert (await api.told("DELETE", f"{ALL}/{made['id']}"))["closed_at"] is not None
    assert await api.refused("DELETE", f"{ALL}/{made['id']}") == (409, "organisations.closed")
    assert await api.refused("POST", ALL, {"name": "Ant GmbH"}) == (409, "organisations.name_taken")


async def test_pages_follow_each_other_without_a_gap(api: Api) -> None:
    for _ in range(3):
        await api.organisation()
    whole = await api.told("GET", ALL)
    found, cursor = [], ""
    while cursor is not None:
        page = await api.told("GET", f"{ALL}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["next"]
    assert found == whole["items"]
    assert whole["next"] is None


async def test_an_amount_is_text_and_not_a_number(api: Api) -> None:
    assert await api.refused("POST", ALL, {"name": "x", "low_balance_usd": 2.5}) == (422, "string_type")
    assert await api.refused("POST", ALL, {"name": "x", "low_balance_usd": "1e3"}) == (422, "string_pattern_mismatch")
    assert await api.refused("POST", ALL, {"name": "x", "low_balance_usd": "9999999999"}) == (422, "bad_amount")
