"""The ledger over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_moved_is_listed_and_all_of_it_is_right(api: Api) -> None:
    organisation = await api.organisation()
    await api.told(
        "POST",
        f"/admin/v1/organisations/{organisation}/wallet/transfers",
        {"amount_usd": "3.00", "reference": organisation},
    )
    listed = await api.told("GET", f"/admin/v1/ledger?organisation={organisation}")
    assert [(one["kind"], one["amount_usd"], one["about"]) for one in listed["items"]] == [
        ("topup", "3.00", organisation)
    ]
    checked = await api.told("GET", "/admin/v1/ledger/verify")
    assert (checked["right"], checked["broken"]) == (True, [])
    assert checked["rules"] > 0
    assert (await api.told("GET", "/admin/v1/ledger/unsettled"))["items"] == []


async def test_a_reconciliation_is_one_decision_or_amounts(api: Api) -> None:
    url = "/admin/v1/ledger/reconcile"
    assert await api.refused("POST", url, {}) == (422, "one_of")
    assert await api.refused("POST", url, {"decision": "void", "amounts_usd": {"x": "1.00"}}) == (422, "one_of")
    assert (await api.told("POST", url, {"amounts_usd": {"req_x": "1.00"}}))["left_out"] == ["req_x"]
