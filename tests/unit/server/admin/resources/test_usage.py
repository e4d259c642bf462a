"""Sums over HTTP."""

import csv
import io
import json

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


async def test_what_follows_from_sums(api: Api) -> None:
    organisation = await api.organisation()
    values = {"organisation": organisation, "metadata": '{"team":"search"}', "usage_source": "estimated"}
    await api.call(AT, first_token_ms=100, total_ms=1100, output_tokens=48, **values)
    await api.call(AT + 1, status=429, failure="rate_limited", **values)
    url = f"/admin/v1/usage?organisation={organisation}"
    (whole,) = (await api.told("GET", url))["items"]
    assert whole["failures_by_kind"] == {"rate_limited": 1}
    assert (whole["estimated"], whole["cache_hit_rate"], whole["tokens_per_second"]) == (2, 0.125, 50.0)
    assert (whole["first_token_ms"], whole["total_ms"]) == ({"p50": 75, "p95": 98}, {"p50": 1250, "p95": 1475})
    assert whole["cache_misses"] == {"cost_nano": 0, "cost_usd": "0.00", "unknown_tokens": 6}
    by = (await api.told("GET", f"{url}&by=metadata.team&by=status"))["items"]
    assert [one["group"] for one in by] == [
        {"metadata.team": "search", "status": "2xx"},
        {"metadata.team": "search", "status": "4xx"},
    ]
    assert (await api.told("GET", f"{url}&metadata=team=search&status=429"))["items"][0]["requests"] == 1
    assert (await api.told("GET", f"{url}&metadata=team=other"))["items"][0]["requests"] == 0
    assert await api.refused("GET", f"{url}&metadata=team") == (422, "usage.bad_pair")
    assert (await api.refused("GET", f"{url}&by=cost"))[0] == 422
    east = await api.told("GET", f"{url}&period=day&offset_minutes=480")
    assert [one["at_ms"] for one in east["items"]] == [AT - 8 * 3_600_000]


async def test_every_call_as_a_file(api: Api) -> None:
    organisation = await api.organisation()
    viewer = await api.member_key(organisation, "viewer")
    ids = [await api.call(AT + number, organisation=organisation, client="=1+1") for number in range(3)]
    await api.call(AT)
    url = "/admin/v1/usage/export"
    reply = await api.ask("GET", url, None, viewer)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert reply.headers["content-disposition"] == 'attachment; filename="usage.csv"'
    head, *rows = list(csv.reader(io.StringIO(reply.body.decode())))
    assert [row[head.index("id")] for row in rows] == ids
    assert {row[head.index("client")] for row in rows} == {"'=1+1"}
    assert {"provider", "deployment", "price_id"}.isdisjoint(head)
    reply = await api.ask("GET", f"{url}?format=jsonl&organisation={organisation}")
    assert reply.headers["content-type"] == "application/jsonl"
    assert [json.loads(line)["id"] for line in reply.body.splitlines()] == ids
    assert "provider" in json.loads(reply.body.splitlines()[0])
    assert await api.refused("GET", f"{url}?provider=lab", None, viewer) == (403, "permission_denied")
    assert await api.refused("GET", f"{url}?format=xml") == (422, "literal_error")
