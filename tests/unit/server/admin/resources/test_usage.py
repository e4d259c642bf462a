"""Sums over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY_MS = 86_400_000
AT = 18_000 * DAY_MS


async def test_sums_by_day_and_property(api: Api) -> None:
    organisation = await api.organisation()
    await api.call(AT, organisation=organisation)
    await api.call(AT + 5, organisation=organisation, cost_nano=None, model_asked="other")
    await api.call(AT + DAY_MS, organisation=organisation, status=500, cost_nano=None)
    url = f"/admin/v1/usage?organisation={organisation}"
    whole = (await api.told("GET", url))["items"]
    assert [(one["requests"], one["failures"], one["unpriced"], one["cost_usd"]) for one in whole] == [
        (3, 1, 1, "0.00123")
    ]
    assert whole[0]["tokens"] == {
        "input": 9,
        "cache_read": 3,
        "cache_write_5m": 6,
        "cache_write_1h": 6,
        "output": 6,
        "reasoning": 6,
    }
    first = await api.told("GET", f"{url}&by=model&period=day&limit=2")
    rest = await api.told("GET", f"{url}&by=model&period=day&limit=2&cursor={first['next']}")
    groups = [(one["at_ms"], one["group"]["model"], one["requests"]) for one in first["items"] + rest["items"]]
    assert groups == [(AT, "gpt-5", 1), (AT, "other", 1), (AT + DAY_MS, "gpt-5", 1)]


async def test_a_member_is_told_of_his_own_calls_alone(api: Api) -> None:
    organisation = await api.organisation()
    viewer, member = await api.member_key(organisation, "viewer"), await api.member_key(organisation, "member")
    await api.call(AT, organisation=organisation)
    counted = [
        (await api.told("GET", "/admin/v1/usage", None, key))["items"][0]["requests"] for key in (viewer, member)
    ]
    assert counted == [1, 0]
    assert await api.refused("GET", "/admin/v1/usage?by=provider", None, viewer) == (403, "permission_denied")
