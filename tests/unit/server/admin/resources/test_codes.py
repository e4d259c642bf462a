"""Codes over HTTP: texts are told when a batch is made or exported; a member with billing redeems."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_batch_is_made_redeemed_and_revoked(api: Api) -> None:
    organisation = await api.organisation()
    made = await api.told("POST", "/admin/v1/codes", {"amount_usd": "5.00", "count": 2})
    batch, texts = made["batch"], [one["text"] for one in made["items"]]
    assert len(set(texts)) == 2
    listed = await api.ask("GET", f"/admin/v1/codes?batch={batch}")
    assert {one["state"] for one in listed.json()["items"]} == {"active"}
    assert not any(text.encode() in listed.body for text in texts)
    assert b"digest" not in listed.body
    exported = await api.told("POST", f"/admin/v1/codes/{batch}/export")
    assert sorted(one["text"] for one in exported["items"]) == sorted(texts)
    billing = await api.member_key(organisation, "billing", admin=False)
    redeemed = await api.told("POST", "/v1/codes/redeem", {"code": texts[0]}, billing)
    assert (redeemed["organisation"], redeemed["amount_usd"]) == (organisation, "5.00")
    assert await api.refused("POST", "/v1/codes/redeem", {"code": texts[0]}, billing) == (409, "codes.used_up")
    assert len((await api.told("DELETE", f"/admin/v1/codes/{batch}"))["items"]) == 1  # the other is used up
    assert await api.refused("POST", "/v1/codes/redeem", {"code": texts[1]}, billing) == (409, "codes.revoked")


async def test_who_has_no_billing_redeems_nothing(api: Api) -> None:
    viewer = await api.member_key(await api.organisation(), "viewer", admin=False)
    assert await api.refused("POST", "/v1/codes/redeem", {"code": "x"}, viewer) == (403, "permission_denied")
    assert await api.refused("POST", "/v1/codes/redeem", {"code": "x"}) == (422, "codes.mistyped")
