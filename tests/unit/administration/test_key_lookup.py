"""Which keys an actor may see."""

import secrets

import pytest

from anykey.accounts.keys import actor_of
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key, last_uses, list_keys
from anykey.storage.key_changes import changing_keys
from anykey.storage.key_uses import KeyUses
from tests.unit.administration.tenancy import Tenancy


def test_an_organisations_own_keys_but_no_operators(tenancy: Tenancy) -> None:
    hidden = create_key(tenancy.home, "hidden", fields=KeyFields(organisation="ours", admin=True)).key
    assert hidden.operator
    seen = list_keys(tenancy.home, actor=tenancy.actor("owner"))
    assert {key.organisation for key in seen} == {tenancy.ours}
    assert hidden.id not in {key.id for key in seen}
    assert hidden.id in {key.id for key in list_keys(tenancy.home)}
    with pytest.raises(AdministrationError):
        find_key(tenancy.home, "hidden", actor=tenancy.actor("owner"))


def test_a_member_sees_his_own_and_a_key_sees_itself(tenancy: Tenancy) -> None:
    assert [key.id for key in list_keys(tenancy.home, actor=tenancy.actor("member"))] == [tenancy.key_id("member")]
    plain = create_key(tenancy.home, "plain", fields=KeyFields(organisation="ours")).key
    assert list_keys(tenancy.home, actor=actor_of(plain)) == [plain]


def test_names_of_others_make_nothing_ambiguous(tenancy: Tenancy) -> None:
    found = find_key(tenancy.home, "key of the own", actor=tenancy.actor("owner"))
    assert found.id == tenancy.key_id("owner")
    with pytest.raises(AdministrationError) as refused:
        find_key(tenancy.home, "key of the own")
    assert refused.value.code == "keys.ambiguous"


def test_a_thousand_looks_at_another_tenant_are_all_the_same_not_found(tenancy: Tenancy) -> None:
    """What is there and what is not differ in nothing but the reference that was sent."""
    theirs = [key for key in list_keys(tenancy.home) if key.organisation == tenancy.theirs]
    references = [text for key in theirs for text in (key.id, key.id[:5], key.name + "!")]
    missing = [secrets.token_hex(5) for _ in range(1000 // 5 - len(references))]
    for role in ("owner", "admin", "billing", "member", "viewer"):
        for reference in references + missing:
            with pytest.raises(AdministrationError) as refused:
                find_key(tenancy.home, reference, actor=tenancy.actor(role))
            assert (refused.value.code, refused.value.values) == ("keys.not_found", {"key": reference})


def test_last_uses_are_of_the_keys_one_sees(tenancy: Tenancy) -> None:
    used = {tenancy.key_id("owner"): 5, tenancy.actors[tenancy.theirs, "owner"].key_id or "": 6}
    changing_keys(tenancy.home.database, lambda connection: KeyUses().write(connection, used))
    assert last_uses(tenancy.home) == used
    assert last_uses(tenancy.home, actor=tenancy.actor("viewer")) == {tenancy.key_id("owner"): 5}
    assert last_uses(tenancy.home, actor=tenancy.actor("member")) == {}
