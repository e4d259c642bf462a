"""Budgets over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "/admin/v1/budgets"


async def test_limits_are_set_by_period_and_taken_away_by_null(api: Api) -> None:
    organisation = await api.organisation()
    body = {"owner_kind": "organisation", "owner": organisation}
    told = await api.told("PUT", ALL, {**body, "limits_usd": {"1d": "5.00", "lifetime": "100.00"}})
    assert {one["period"]: one["limit_nano"] for one in told["items"]} == {"1d": 5 * 10**9, "lifetime": 100 * 10**9}
    told = await api.told("PUT", ALL, {**body, "limits_usd": {"1d": None}})
    assert [one["period"] for one in told["items"]] == ["lifetime"]
    listed = await api.told("GET", f"{ALL}?owner={organisation}")
    assert listed["items"] == told["items"]


async def test_nobody_in_an_organisation_goes_above_its_limit(api: Api) -> None:
    organisation = await api.organisation()
    await api.told("PUT", ALL, {"owner_kind": "organisation", "owner": organisation, "limits_usd": {"1d": "5.00"}})
    admin = await api.member_key(organisation, "admin")
    body = {"owner_kind": "key", "owner": admin.id, "limits_usd": {"1d": "6.00"}}
    assert await api.refused("PUT", ALL, body, admin) == (422, "budgets.above_organisation")
    assert await api.refused("PUT", ALL, {**body, "limits_usd": {"2d": "1.00"}}, admin) == (422, "literal_error")
