"""Groups over HTTP: as the configuration file has them."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_groups_in_force(api: Api) -> None:
    listed = await api.told("GET", "/admin/v1/groups")
    assert [one["name"] for one in listed["items"]] == ["cheap", "default"]
    cheap = await api.told("GET", "/admin/v1/groups/cheap")
    assert (cheap["models"], cheap["price_multiplier"]) == (["gpt-*"], "1")
    assert await api.refused("GET", "/admin/v1/groups/none") == (404, "groups.not_found")
