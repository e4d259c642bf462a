"""Nobody grants wider than himself: whatever somebody of an organisation does with every secret he comes by, in whatever order,
he ends with nobody's power but his own, and what is none of his business is as it was."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anykey.accounts.key_bounds import names_within
from anykey.accounts.keys import ApiKey, actor_of
from anykey.accounts.permissions import MEMBER_ROLES, Actor, Forbidden, MemberRole, may_give
from anykey.administration.audit import verify_chain
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, list_keys, revoke_key, rotate_key, update_key
from anykey.administration.members import MemberFields, create_member, list_members, remove_member, update_member
from anykey.administration.organisations import OrganisationFields, list_organisations, update_organisation
from anykey.administration.teams import create_team
from tests.unit.administration.tenancy import Tenancy

BOUND = ("a*",)
Step = tuple[str, int, int, dict[str, Any]]

owners = st.sampled_from(["", *(f"the {role}" for role in MEMBER_ROLES), "new"])
key_fields = st.fixed_dictionaries(
    {},
    optional={
        "group": st.just("free"),
        "team": st.sampled_from(["", "red"]),
        "allowed_models": st.sampled_from([(), ("*",), ("ab",), ("a*", "b")]),
        "admin": st.booleans(),
        "organisation": st.sampled_from(["ours", "theirs", "default"]),
        "owner": owners,
        "budgets": st.sampled_from([{"1d": 50}, {"1d": 500}, {"1d": None}]),
        "requests_per_minute": st.sampled_from([0, 9]),
        "expires_at": st.sampled_from([0, 2**41]),
        "name": st.sampled_from(["x", "y"]),
    },
)
own_fields = st.fixed_dictionaries(
    {},
    optional={
        "allowed_models": st.sampled_from([(), ("*",), ("ab",), ("a*", "b")]),
        "expires_at": st.sampled_from([0, 2**41]),
        "name": st.sampled_from(["x", "y", "z"]),
    },
)
member_fields = st.fixed_dictionaries(
    {}, optional={"role": st.sampled_from(MEMBER_ROLES), "name": st.just("new"), "team": st.just("")}
)
NOTHING: st.SearchStrategy[dict[str, Any]] = st.just({})
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["create_key", "update_key"]), st.integers(0, 9), st.integers(0, 20), key_fields),
        st.tuples(st.sampled_from(["create_key", "update_key"]), st.integers(0, 9), st.integers(0, 20), own_fields),
        st.tuples(st.sampled_from(["rotate_key", "revoke_key"]), st.integers(0, 9), st.integers(0, 20), NOTHING),
        st.tuples(
            st.sampled_from(["create_member", "update_member", "remove_member"]),
            st.integers(0, 9),
            st.integers(0, 20),
            member_fields,
        ),
        st.tuples(st.just("set_budgets"), st.integers(0, 9), st.integers(0, 20), st.just({"1d": 500})),
        st.tuples(st.just("update_organisation"), st.integers(0, 9), st.integers(0, 20), st.just({"prepaid": False})),
    ),
    min_size=4,
    max_size=14,
)


class Intruder:
    """Somebody with a role, who tries whatever he can with every key whose secret he has."""

    def __init__(self, tenancy: Tenancy, role: MemberRole) -> None:
        self.home = tenancy.home
        self.first = tenancy.actor(role)
        self.held = {tenancy.key_id(role)}
        self.keys = [key.id for key in list_keys(self.home)]
        self.members = [member.id for member in list_members(self.home)]

    def actors(self) -> list[Actor]:
        """Whom he can act for: the holders of admin keys that are in force, as the API lets them in."""
        known = {key.id: key for key in list_keys(self.home)}
        held = [known[key_id] for key_id in sorted(self.held)]
        return [actor_of(key) for key in held if key.admin and key.revoked_at is None]

    def do(self, step: Step) -> None:
        """Try one verb; what he is refused is none of our concern here."""
        verb, who, which, said = step
        actors = self.actors()
        if not actors:
            return
        with suppress(Forbidden, AdministrationError):
            _VERBS[verb](self, actors[who % len(actors)], which, said)


def _create_key(one: Intruder, actor: Actor, _: int, said: dict[str, Any]) -> None:
    fields = KeyFields(**{name: value for name, value in said.items() if name != "name"})
    key = create_key(one.home, said.get("name", "k"), fields=fields, actor=actor).key
    one.held.add(key.id)
    one.keys.append(key.id)


def _update_key(one: Intruder, actor: Actor, which: int, said: dict[str, Any]) -> None:
    fields = KeyFields(**{name: value for name, value in said.items() if name != "organisation"})
    update_key(one.home, one.keys[which % len(one.keys)], fields, actor=actor)


def _rotate_key(one: Intruder, actor: Actor, which: int, _: dict[str, Any]) -> None:
    one.held.add(rotate_key(one.home, one.keys[which % len(one.keys)], actor=actor).key.id)


def _revoke_key(one: Intruder, actor: Actor, which: int, _: dict[str, Any]) -> None:
    revoke_key(one.home, one.keys[which % len(one.keys)], actor=actor)


def _create_member(one: Intruder, actor: Actor, _: int, said: dict[str, Any]) -> None:
    fields = MemberFields(**{name: value for name, value in said.items() if name != "name"})
    one.members.append(create_member(one.home, "new", fields=fields, actor=actor).id)


def _update_member(one: Intruder, actor: Actor, which: int, said: dict[str, Any]) -> None:
    update_member(one.home, one.members[which % len(one.members)], MemberFields(**said), actor=actor)


def _remove_member(one: Intruder, actor: Actor, which: int, _: dict[str, Any]) -> None:
    remove_member(one.home, one.members[which % len(one.members)], actor=actor)


def _set_budgets(one: Intruder, actor: Actor, which: int, said: dict[str, Any]) -> None:
    set_budgets(one.home, "key", one.keys[which % len(one.keys)], said, actor=actor)  # pyright: ignore[reportArgumentType]


def _update_organisation(one: Intruder, actor: Actor, which: int, said: dict[str, Any]) -> None:
    update_organisation(one.home, ("ours", "theirs")[which % 2], OrganisationFields(**said), actor=actor)


_VERBS: dict[str, Callable[[Intruder, Actor, int, dict[str, Any]], None]] = {
    "create_key": _create_key,
    "update_key": _update_key,
    "rotate_key": _rotate_key,
    "revoke_key": _revoke_key,
    "create_member": _create_member,
    "update_member": _update_member,
    "remove_member": _remove_member,
    "set_budgets": _set_budgets,
    "update_organisation": _update_organisation,
}


def none_of_his_business(tenancy: Tenancy, key: ApiKey) -> bool:
    """Another tenant's keys, and operators'."""
    return key.organisation != tenancy.ours or key.operator


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Tenancy:
    """The two organisations, an operator's key in one of them, and a limit on ours."""
    tenancy = Tenancy(tmp_path_factory.mktemp("grants"))
    create_key(tenancy.home, "operators", fields=KeyFields(organisation="ours", admin=True))
    create_team(tenancy.home, "red", organisation="ours")
    set_budgets(tenancy.home, "organisation", "ours", {"1d": 100})
    update_organisation(tenancy.home, "ours", OrganisationFields(prepaid=True))
    for role in MEMBER_ROLES:
        limits = KeyFields(allowed_models=BOUND, requests_per_minute=5, expires_at=2**40, budgets={"1d": 60})
        update_key(tenancy.home, tenancy.key_id(role), limits)
    return tenancy


@pytest.mark.parametrize("role", MEMBER_ROLES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_no_sequence_of_verbs_gives_more_than_one_has(template: Tenancy, role: MemberRole, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tenancy = template.copied(Path(folder) / "home")
        home, intruder = tenancy.home, Intruder(tenancy, role)
        before = [key for key in list_keys(home) if none_of_his_business(tenancy, key)]
        stronger = {one.id: one for one in list_members(home) if not may_give(intruder.first, one.role)}
        organisations = list_organisations(home)
        for step in steps:
            intruder.do(step)
        for actor in intruder.actors():
            assert actor.organisation == tenancy.ours
            assert may_give(intruder.first, actor.role)
        assert [key for key in list_keys(home) if none_of_his_business(tenancy, key)] == before
        members = {one.id: one for one in list_members(home)}
        assert stronger == {id_: one for id_, one in members.items() if not may_give(intruder.first, one.role)}
        assert list_organisations(home) == organisations
        assert all(one.limit_nano <= 100 for one in list_budgets(home) if one.owner_kind == "key")
        assert {key.group_name for key in list_keys(home)} == {None}
        if role in ("billing", "member", "viewer"):
            known = {key.id: key for key in list_keys(home)}
            for key in (known[key_id] for key_id in intruder.held):
                assert names_within(key.allowed_models, BOUND)
                assert key.requests_per_minute == 5
                assert key.expires_at is not None
                assert key.expires_at <= 2**40
                assert key.purse is not None
                assert min(one.limit_nano for one in key.purse.budgets) == 60
        assert verify_chain(home).broken_at is None
