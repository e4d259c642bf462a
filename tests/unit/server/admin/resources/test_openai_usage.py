"""OpenAI's shapes of usage and costs, read by OpenAI's own SDK."""

import pytest
from openai import AsyncOpenAI

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR_S = 3600
AT = 1_500_000_000 // 86_400 * 86_400


async def two_days(api: Api) -> str:
    """An organisation with calls on two days, one without between them."""
    organisation = await api.organisation()
    for at_s, values in (
        (AT + 10, {"team": "a"}),
        (AT + 20, {"team": "b"}),
        (AT + 2 * 86_400, {"model_asked": "other"}),
    ):
        await api.call(at_s * 1000, organisation=organisation, **values)
    return organisation


async def test_the_sdk_reads_usage_and_costs(api: Api) -> None:
    owner = await api.member_key(await two_days(api), "owner")
    async with AsyncOpenAI(api_key=owner.text, admin_api_key=owner.text, base_url=f"{api.gateway.url}/v1") as client:
        usage = client.admin.organization.usage
        page = await usage.completions(start_time=AT, end_time=AT + 3 * 86_400, group_by=["model", "project_id"])
        assert [len(bucket.results) for bucket in page.data] == [2, 0, 1]
        first = page.data[0].results[0]
        assert first.object == "organization.usage.completions.result"
        assert (first.input_tokens, first.input_cached_tokens, first.output_tokens) == (8, 1, 4)
        assert (first.model, first.project_id, first.num_model_requests) == ("gpt-5", "a", 1)
        costs = await usage.costs(start_time=AT, end_time=AT + 3 * 86_400, limit=1, group_by=["line_item"])
        result = costs.data[0].results[0]
        assert result.object == "organization.costs.result"
        assert result.amount is not None
        assert (result.amount.value, result.amount.currency, result.line_item) == (0.00246, "usd", "gpt-5")
        assert costs.has_more
        assert costs.next_page is not None
        rest = await usage.costs(start_time=AT, end_time=AT + 3 * 86_400, page=costs.next_page)
        assert [bucket.start_time for bucket in rest.data] == [AT + 86_400, AT + 2 * 86_400]
        assert not rest.has_more


async def test_hours_filters_and_the_edges_of_the_time_asked_for(api: Api) -> None:
    owner = await api.member_key(await two_days(api), "owner")
    url = f"/v1/organization/usage/completions?start_time={AT + 15}&end_time={AT + 2 * HOUR_S}&bucket_width=1h"
    told = await api.told("GET", url, None, owner)
    assert [(one["start_time"], one["end_time"]) for one in told["data"]] == [
        (AT, AT + HOUR_S),
        (AT + HOUR_S, AT + 2 * HOUR_S),
    ]
    assert [one["num_model_requests"] for one in told["data"][0]["results"]] == [1]
    assert (await api.told("GET", f"{url}&project_ids[]=a", None, owner))["data"][0]["results"] == []
    assert (await api.told("GET", f"{url}&batch=true", None, owner))["data"][0]["results"] == []
    assert await api.refused("GET", f"{url}&limit=169", None, owner) == (422, "less_than_equal")
    assert await api.refused("GET", "/v1/organization/costs", None, owner) == (422, "missing")
