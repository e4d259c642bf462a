"""Members over HTTP: nobody gives a role above his own."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_life_of_a_member(api: Api) -> None:
    organisation = await api.organisation()
    made = await api.told(
        "POST", "/admin/v1/members", {"name": "Ada", "organisation": organisation, "email": "a@b.example"}
    )
    url = f"/admin/v1/members/{made['id']}"
    assert (made["role"], made["email"]) == ("member", "a@b.example")
    changed = await api.told("PATCH", url, {"role": "billing", "email": None})
    assert (changed["role"], changed["email"], changed["name"]) == ("billing", None, "Ada")
    assert [
        one["id"] for one in (await api.told("GET", f"/admin/v1/members?organisation={organisation}"))["items"]
    ] == [made["id"]]
    assert (await api.told("DELETE", url))["removed_at"] is not None
    assert (await api.told("GET", url))["removed_at"] is not None


async def test_an_administrator_makes_no_owner(api: Api) -> None:
    organisation = await api.organisation()
    admin = await api.member_key(organisation, "admin")
    assert await api.refused("POST", "/admin/v1/members", {"name": "Eve", "role": "owner"}, admin) == (
        403,
        "permission_denied",
    )
    assert (await api.told("POST", "/admin/v1/members", {"name": "Eve", "role": "viewer"}, admin))[
        "organisation"
    ] == organisation
