"""Keys over HTTP: the text of one is told when it is made or rotated, and its digest never."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "/admin/v1/keys"


async def test_a_life_of_a_key(api: Api) -> None:
    organisation = await api.organisation()
    body = {
        "name": "cli",
        "organisation": organisation,
        "group": "cheap",
        "metadata": {"app": "x"},
        "requests_per_minute": 5,
    }
    made = await api.told("POST", ALL, {**body, "budgets_usd": {"1d": "5.00"}})
    key, text = made["key"], made["text"]
    url = f"{ALL}/{key['id']}"
    assert (key["group"], key["metadata"], key["budgets_usd"]) == ("cheap", {"app": "x"}, {"1d": "5.00"})
    assert text.startswith(f"ak-{key['id']}-")
    changed = await api.told(
        "PATCH", url, {"group": None, "requests_per_minute": None, "budgets_usd": {"1d": None, "7d": "9.00"}}
    )
    assert (changed["group"], changed["requests_per_minute"], changed["budgets_usd"]) == (None, None, {"7d": "9.00"})
    assert changed["metadata"] == {"app": "x"}
    rotated = await api.told("POST", f"{url}/rotate", {"overlap_s": 60})
    assert rotated["text"] != text
    assert rotated["key"]["previous_until"] is not None
    assert (await api.told("POST", f"{url}/revoke"))["revoked_at"] is not None
    assert await api.refused("POST", f"{url}/revoke") == (409, "keys.already_revoked")


async def test_no_answer_has_a_digest_and_none_but_the_making_has_the_text(api: Api) -> None:
    organisation = await api.organisation()
    made = await api.told("POST", ALL, {"name": "secret", "organisation": organisation})
    reply = await api.ask("GET", f"{ALL}?organisation={organisation}")
    assert [key["name"] for key in reply.json()["items"]] == ["secret"]
    assert b"digest" not in reply.body
    assert made["text"].encode() not in reply.body + (await api.ask("GET", "/admin/v1/audit")).body


async def test_a_key_is_found_by_its_id_alone(api: Api) -> None:
    organisation = await api.organisation()
    made = await api.told("POST", ALL, {"name": "by-name-only", "organisation": organisation})
    for reference in ("by-name-only", made["key"]["id"][:5]):
        assert await api.refused("POST", f"{ALL}/{reference}/revoke") == (404, "keys.not_found")


async def test_filters(api: Api) -> None:
    organisation = await api.organisation()
    for name, group in (("a", "cheap"), ("b", None)):
        await api.told("POST", ALL, {"name": name, "organisation": organisation, "group": group})
    for query, names in (
        ("", ["a", "b"]),
        ("&group=cheap", ["a"]),
        ("&state=revoked", []),
        ("&state=in_force", ["a", "b"]),
    ):
        listed = await api.told("GET", f"{ALL}?organisation={organisation}{query}")
        assert sorted(key["name"] for key in listed["items"]) == names


async def test_a_member_makes_and_sees_only_keys_of_his_own(api: Api) -> None:
    organisation = await api.organisation()
    others, member = await api.member_key(organisation, "admin"), await api.member_key(organisation, "member")
    made = await api.told("POST", ALL, {"name": "mine"}, member)
    assert {key["id"] for key in (await api.told("GET", ALL, None, member))["items"]} == {member.id, made["key"]["id"]}
    assert await api.refused("GET", f"{ALL}/{others.id}", None, member) == (404, "keys.not_found")
    assert await api.refused("POST", ALL, {"name": "rich", "requests_per_minute": 9}, member) == (
        403,
        "permission_denied",
    )
