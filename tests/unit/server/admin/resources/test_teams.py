"""Teams over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_life_of_a_team(api: Api) -> None:
    organisation = await api.organisation()
    url = f"/admin/v1/organisations/{organisation}/teams/search"
    made = await api.told("POST", "/admin/v1/teams", {"name": "search", "organisation": organisation})
    assert (made["organisation"], made["allowed_models"]) == (organisation, None)
    assert (await api.told("PATCH", url, {"allowed_models": ["gpt-*"]}))["allowed_models"] == ["gpt-*"]
    assert (await api.told("PATCH", url, {}))["allowed_models"] == ["gpt-*"]
    assert (await api.told("PATCH", url, {"allowed_models": None}))["allowed_models"] is None
    listed = await api.told("GET", f"/admin/v1/teams?organisation={organisation}")
    assert [team["name"] for team in listed["items"]] == ["search"]
    assert (await api.told("DELETE", url))["closed_at"] is not None
    assert (await api.told("GET", url))["closed_at"] is not None
