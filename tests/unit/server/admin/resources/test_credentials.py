"""Credentials over HTTP: a secret goes in and never comes out."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "/admin/v1/credentials"


async def test_a_life_of_a_credential(api: Api) -> None:
    secret = "sk-canary-0123456789abcdef"
    reply = await api.ask("POST", ALL, {"provider": "lab", "secret": secret, "label": "second"})
    made = reply.json()
    url = f"{ALL}/{made['id']}"
    assert (reply.status, made["label"], made["last4"], made["origin"]) == (201, "second", "cdef", "http://127.0.0.1:9")
    assert (await api.told("PATCH", url, {"weight": 5}))["weight"] == 5
    listed, shown = await api.ask("GET", f"{ALL}?provider=lab"), await api.ask("GET", url)
    assert [one["id"] for one in listed.json()["items"]] == [made["id"]]
    checked = await api.told("GET", f"{ALL}/check")
    assert [one["fault"] for one in checked["items"] if one["credential"]["id"] == made["id"]] == [None]
    assert await api.refused("POST", ALL, {"provider": "lab", "secret": secret, "label": "second"}) == (
        409,
        "credentials.label_taken",
    )
    audited = await api.ask("GET", "/admin/v1/audit")
    assert not [one for one in (reply, listed, shown, audited) if b"canary" in one.body or b"sealed" in one.body]
    assert (await api.told("DELETE", url))["id"] == made["id"]
    assert await api.refused("GET", url) == (404, "credentials.not_found")
    assert await api.refused("DELETE", f"{ALL}/lab") == (404, "credentials.not_found")
