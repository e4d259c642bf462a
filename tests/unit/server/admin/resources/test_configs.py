"""Configs over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_life_of_a_config(api: Api) -> None:
    url = "/admin/v1/configs/mine"
    first = await api.told("PUT", url, {"config": {"targets": [{"provider": "@lab"}]}})
    assert (first["new"], first["config"]["version"]) == (True, 1)
    assert (await api.told("PUT", url, {"config": {"targets": [{"provider": "@lab"}]}}))["new"] is False
    await api.told("PUT", url, {"config": {"targets": [{"provider": "@lab", "weight": 2}]}})
    assert (await api.told("GET", f"{url}@1"))["config"] == {"targets": [{"provider": "@lab"}]}
    assert (await api.told("GET", url))["version"] == 2
    assert "mine" in {one["name"] for one in (await api.told("GET", "/admin/v1/configs"))["items"]}
    assert (await api.told("DELETE", url)) == {"name": "mine", "versions": 2}
    assert await api.refused("DELETE", url) == (404, "configs.not_found")
    assert await api.refused("PUT", url, {"config": {"strategy": {"mode": "nonsense"}}}) == (422, "configs.wrong")
