"""The audit log over HTTP: who did what by this API, by pages, and whether it is whole."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_change_is_told_with_who_made_it_and_the_log_is_whole(api: Api) -> None:
    organisation = await api.organisation()
    admin = await api.member_key(organisation, "admin")
    await api.told("POST", "/admin/v1/teams", {"name": "audited"}, admin)
    mine = (await api.told("GET", "/admin/v1/audit?limit=1", None, admin))["items"][0]
    assert (mine["actor"], mine["action"], mine["organisation"]) == (f"key:{admin.id}", "teams.create", organisation)
    assert {one["organisation"] for one in (await api.told("GET", "/admin/v1/audit", None, admin))["items"]} == {
        organisation
    }
    checked = await api.told("GET", "/admin/v1/audit/verify")
    assert (checked["whole"], checked["broken_at"]) == (True, None)
    assert await api.refused("GET", "/admin/v1/audit/verify", None, admin) == (403, "permission_denied")


async def test_pages_go_back_to_the_first_entry(api: Api) -> None:
    await api.organisation()
    await api.organisation()
    seqs: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await api.told("GET", "/admin/v1/audit?limit=7" + (f"&cursor={cursor}" if cursor else ""))
        seqs += [one["seq"] for one in page["items"]]
        cursor = page["next"]
    assert seqs == list(range(len(seqs), 0, -1))
