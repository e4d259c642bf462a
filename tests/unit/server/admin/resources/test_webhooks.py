"""Webhooks over HTTP: the secret is told once."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_life_of_a_webhook(api: Api) -> None:
    organisation = await api.organisation()
    made = await api.told(
        "POST", "/admin/v1/webhooks", {"url": "https://hooks.example/x", "organisation": organisation}
    )
    assert made["secret"].startswith("whsec_")
    assert made["webhook"]["events"]
    listed = await api.ask("GET", "/admin/v1/webhooks")
    assert made["webhook"] in listed.json()["items"]
    assert made["secret"].encode() not in listed.body
    owner = await api.member_key(organisation, "owner")
    assert (await api.told("DELETE", f"/admin/v1/webhooks/{made['webhook']['id']}", None, owner)) == {
        "id": made["webhook"]["id"]
    }
    assert await api.refused("POST", "/admin/v1/webhooks", {"url": "http://10.0.0.1/"}, owner) == (
        422,
        "webhooks.bad_url",
    )
