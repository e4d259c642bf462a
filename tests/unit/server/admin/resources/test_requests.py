"""Calls over HTTP: by pages and filters, and to tenants without what is the operator's business."""

from contextlib import closing

import pytest

from anykey.storage.exchange_bodies import put_bodies, sealed
from tests.fakes.bodies import bodies_of
from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT = 1_600_000_000_000


async def test_calls_by_page_and_filter(api: Api) -> None:
    organisation = await api.organisation()
    ids = [await api.call(AT + n, organisation=organisation, status=(200, 429, 503)[n]) for n in range(3)]
    url = f"/admin/v1/requests?organisation={organisation}"
    first = await api.told("GET", f"{url}&limit=2")
    rest = await api.told("GET", f"{url}&limit=2&cursor={first['next']}")
    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    for query, found in (
        ("status=4xx", [ids[1]]),
        ("status=503", [ids[2]]),
        (f"until_ms={AT + 1}", [ids[0]]),
        ("model=none", []),
    ):
        assert [one["id"] for one in (await api.told("GET", f"{url}&{query}"))["items"]] == found
    assert await api.refused("GET", f"{url}&status=600") == (422, "string_pattern_mismatch")


async def test_a_tenant_is_not_told_where_a_call_went(api: Api) -> None:
    organisation = await api.organisation()
    request_id = await api.call(AT, organisation=organisation, provider="lab", deployment="lab/upstream-model")
    viewer = await api.member_key(organisation, "viewer")
    url = f"/admin/v1/requests/{request_id}"
    whole, part = await api.told("GET", url), await api.told("GET", url, None, viewer)
    assert (whole["request"]["deployment"], whole["attempts"][0]["outcome"]) == ("lab/upstream-model", "answered")
    assert "deployment" not in part["request"]
    assert part["attempts"] is None
    assert part["request"]["cost_usd"] == "0.00123"
    assert await api.refused("GET", "/admin/v1/requests?provider=lab", None, viewer) == (403, "permission_denied")


async def test_losses_are_told_of_the_calls_that_have_some(api: Api) -> None:
    organisation = await api.organisation()
    details = '[{"kind":"dropped","path":"top_k","reason":"unknown there","side":"request"}]'
    lost = await api.call(AT, organisation=organisation, losses='["dropped:top_k"]', loss_details=details)
    await api.call(AT, organisation=organisation)
    found = await api.told("GET", f"/admin/v1/losses?organisation={organisation}")
    assert [(one["id"], one["items"][0]["path"]) for one in found["items"]] == [(lost, "top_k")]


async def test_what_was_said_is_told_with_an_entry_for_whoever_read_it(api: Api) -> None:
    organisation = await api.organisation()
    owner = await api.member_key(organisation, "owner")
    made = await api.told("POST", "/admin/v1/keys", {"name": "logged", "organisation": organisation, "logging": "full"})
    home = api.gateway.home
    bodies = bodies_of(id="req_said", key_id=made["key"]["id"], organisation=organisation, answer=b"\xff")
    with closing(home.database.connect()) as connection:
        put_bodies(connection, [sealed(bodies, home.pepper)])
    told = await api.told("GET", "/admin/v1/requests/req_said/bodies", None, owner)
    assert told["request"] == {
        "text": bodies.request.decode(),
        "base64": None,
        "bytes": len(bodies.request),
        "cut": False,
    }
    assert told["answer"] == {"text": None, "base64": "/w==", "bytes": 1, "cut": False}
    assert (told["status"], told["organisation"], told["expires_at"]) == (200, organisation, bodies.expires_at)
    entry = (await api.told("GET", "/admin/v1/audit", None, owner))["items"][0]
    assert (entry["action"], entry["target"]) == ("bodies.read", "req_said")
    assert entry["actor"].startswith("key:")
    admin = await api.member_key(organisation, "admin")
    refused = await api.refused("GET", "/admin/v1/requests/req_said/bodies", None, admin)
    assert refused == (403, "permission_denied")
