"""Providers over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_providers_in_force_are_told_without_their_secrets(api: Api) -> None:
    reply = await api.ask("GET", "/admin/v1/providers")
    told = {one["name"]: one for one in reply.json()["items"]}
    assert told["lab"]["credentials"][0] == "lab#default"
    assert b"lab-secret" not in reply.body
    assert (await api.told("GET", "/admin/v1/providers/lab"))["endpoints"][0]["protocol"] == "openai_chat"
    assert await api.refused("GET", "/admin/v1/providers/nobody") == (404, "models.no_provider")


async def test_models_are_pinned_for_a_provider(api: Api) -> None:
    assert (await api.told("POST", "/admin/v1/providers/lab/pin", {"models": ["m-1", "m-2"]})) == {"changed": 2}
    assert (await api.told("POST", "/admin/v1/providers/lab/unpin", {"models": ["m-1", "m-2"]})) == {"changed": 2}
    assert await api.refused("POST", "/admin/v1/providers/lab/pin", {"models": []}) == (422, "too_short")


async def test_health_is_told_and_what_is_well_cannot_be_enabled(api: Api) -> None:
    health = await api.told("GET", "/admin/v1/providers/lab/health")
    assert health["items"][0] == {
        **dict.fromkeys(("deployment", "since_ms", "until_ms", "failure", "reason", "told_by")),
        "provider": "lab",
        "credential": "lab#default",
        "state": "well",
    }
    assert await api.refused("POST", "/admin/v1/providers/lab/enable") == (404, "health.nothing")
    assert await api.refused("POST", "/admin/v1/providers/lab%23default/enable") == (404, "health.nothing")


async def test_kinds_are_those_of_the_catalogue(api: Api) -> None:
    assert (await api.told("GET", "/admin/v1/provider-kinds/claude"))["kind"] == "anthropic"
    page = await api.told("GET", "/admin/v1/provider-kinds?limit=5&group=local")
    assert {one["group"] for one in page["items"]} == {"local"}
    assert await api.refused("GET", "/admin/v1/provider-kinds/nothing") == (404, "providers.unknown_kind")
