"""What a key may ask for."""

import pytest

from anykey.accounts.keys import ApiKey
from anykey.routing.ask import Grant
from anykey.routing.configured import GroupSettings, ModelSettings
from anykey.routing.groups import grant_of, may_ask, refusing_cap, scope_of, standing_of
from tests.unit.routing.configuring import grouped


def key(**said: object) -> ApiKey:
    return ApiKey(id="k1", name="n", digest=b"", last4="", created_at=0, **said)  # type: ignore[arg-type]


KNOWN = grouped(
    GroupSettings("small", models=("claude-*", "house"), providers=("byteplus",)),
    models=(ModelSettings("house", ("lab/x", "byteplus/y"), aliases=("home",)), ModelSettings("far", ("lab/x",))),
    organisation_models=("*e*", "far"),
    teams={"red": ("claude-*",)},
)


def test_every_list_must_allow() -> None:
    grant = grant_of(key(group_name="small", team="red", allowed_models=("claude-opus*",)), KNOWN)
    assert grant.cap_sources == ("the organisation", "the team red", "the key", "the group small")
    assert refusing_cap(grant, ["claude-opus-5"]) is None
    assert refusing_cap(grant, ["claude-haiku"]) == "the key"
    assert refusing_cap(grant, ["gpt"]) == "the organisation"
    assert refusing_cap(grant, ["demo"]) == "the team red"
    assert refusing_cap(grant, ["gpt", "claude-opus"]) is None


def test_a_team_without_a_list_is_a_label_and_a_group_that_is_gone_allows_nothing() -> None:
    assert refusing_cap(grant_of(key(team="blue"), KNOWN), ["demo"]) is None
    assert refusing_cap(grant_of(key(group_name="gone"), KNOWN), ["claude"]) == "the group gone"


def test_who_may_everything_in_the_default_group_is_of_no_scope() -> None:
    open_to_all = grouped()
    assert standing_of(key(), open_to_all).scope is None
    assert standing_of(key(allowed_models=("*",)), open_to_all).scope is None
    assert standing_of(key(group_name="small"), KNOWN).scope is not None
    assert scope_of(Grant(config="c")) is not None


def test_a_standing_is_computed_once_for_a_key_as_it_is() -> None:
    one, changed = key(), key(allowed_models=("a",))
    first = standing_of(one, KNOWN)
    assert standing_of(one, KNOWN) is first
    assert standing_of(changed, KNOWN).grant.caps[-1] == ("a",)
    assert len(KNOWN.standings) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [("house", True), ("home", True), ("claude-x", True), ("far", False), ("lab/x", False), ("byteplus/e", False)],
)
def test_what_is_shown(name: str, shown: bool) -> None:
    assert may_ask(KNOWN, grant_of(key(group_name="small"), KNOWN), name) is shown


def test_a_model_that_only_other_providers_serve_is_not_shown() -> None:
    known = grouped(GroupSettings("g", providers=("byteplus",)), models=(ModelSettings("far", ("lab/x",)),))
    grant = grant_of(key(group_name="g"), known)
    assert not may_ask(known, grant, "far")
    assert not may_ask(known, grant, "lab/x")
    assert may_ask(known, grant, "byteplus/x")
