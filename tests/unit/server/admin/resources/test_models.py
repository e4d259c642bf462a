"""Models over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_models_that_are_served(api: Api) -> None:
    listed = await api.told("GET", "/admin/v1/models?provider=lab&limit=1000")
    assert "test-model" in {one["id"] for one in listed["items"]}
    assert {one["provider"] for one in listed["items"]} == {"lab"}
    assert (await api.told("GET", "/admin/v1/models?allowed=mine&provider=lab"))["items"] == listed["items"]


async def test_the_catalogue_knows_models_that_are_not_served(api: Api) -> None:
    found = await api.told("GET", "/admin/v1/catalogue/models?name=gpt-5")
    assert "openai" in {one["facts"]["vendor"] for one in found["items"]}
    assert await api.refused("GET", "/admin/v1/catalogue/models?name=nothing-of-the-kind") == (
        404,
        "catalogue.no_model",
    )
    assert await api.refused("GET", "/admin/v1/catalogue/models") == (422, "missing")
    assert {one["source"] for one in (await api.told("GET", "/admin/v1/catalogue/sources"))["items"]} >= {
        "own",
        "litellm",
    }
