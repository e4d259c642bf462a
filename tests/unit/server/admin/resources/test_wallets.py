"""Wallets over HTTP: a transfer counts once for each reference."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_money_moves_once_for_each_reference(api: Api) -> None:
    organisation = await api.organisation()
    url = f"/admin/v1/organisations/{organisation}/wallet"
    body = {"amount_usd": "25.000000001", "reference": f"pay-{organisation}", "note": "invoice 1"}
    first, again = [await api.told("POST", f"{url}/transfers", body) for _ in range(2)]
    assert (first["new"], again["new"]) == (True, False)
    assert first["transfer"] == again["transfer"]
    assert (again["wallet"]["balance_nano"], again["wallet"]["balance_usd"]) == (25_000_000_001, "25.000000001")
    assert await api.refused("POST", f"{url}/transfers", {**body, "amount_usd": "26.00"}) == (
        409,
        "wallets.other_transfer",
    )
    listed = await api.told("GET", f"/admin/v1/transfers?organisation={organisation}")
    assert [one["id"] for one in listed["items"]] == [first["transfer"]["id"]]


@pytest.mark.parametrize(
    ("kind", "after"), [("bonus", "15.00"), ("refund", "5.00"), ("adjustment_in", "15.00"), ("adjustment_out", "5.00")]
)
async def test_each_kind_of_transfer(api: Api, kind: str, after: str) -> None:
    url = f"/admin/v1/organisations/{await api.organisation()}/wallet"
    await api.told("POST", f"{url}/transfers", {"amount_usd": "10.00"})
    told = await api.told("POST", f"{url}/transfers", {"amount_usd": "5.00", "kind": kind})
    assert told["wallet"]["available_usd"] == after
    assert (await api.told("GET", url)) == told["wallet"]


async def test_a_wallet_does_not_go_below_zero(api: Api) -> None:
    url = f"/admin/v1/organisations/{await api.organisation()}/wallet/transfers"
    assert await api.refused("POST", url, {"amount_usd": "1.00", "kind": "refund"}) == (409, "wallets.not_enough")
