"""Who may say what of a key, and what of it can be meant."""

import pytest

from anykey.accounts.permissions import MEMBER_ROLES, Forbidden, MemberRole
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import FIELD_PERMISSIONS, KeyFields, columns_of, require_fields
from anykey.administration.keys import update_key
from tests.unit.administration.tenancy import Tenancy

SAID: dict[str, object] = {
    "group": "g",
    "team": "",
    "allowed_models": ("a",),
    "config": "c",
    "metadata": {"a": "b"},
    "admin": True,
    "name": "new name",
    "owner": "the viewer",
    "strict": True,
    "budgets": {"1d": 5},
    "requests_per_minute": 1,
    "tokens_per_minute": 1,
    "concurrency": 1,
    "expires_at": 2**33,
    "ip_allow": ("192.0.2.0/24",),
    "ip_deny": ("192.0.2.0/24",),
    "logging": "off",
    "logging_days": 1,
}
OWNERS = {"name", "strict", "metadata", "allowed_models", "expires_at", "ip_allow", "ip_deny"}


def fields(**said: object) -> KeyFields:
    return KeyFields(**said)  # pyright: ignore[reportArgumentType]


def test_every_field_has_its_permission() -> None:
    assert set(FIELD_PERMISSIONS) == set(KeyFields.__struct_fields__) == {*SAID, "organisation"}


@pytest.mark.parametrize("role", MEMBER_ROLES)
@pytest.mark.parametrize("field", SAID)
def test_each_field_is_written_by_the_roles_that_may(tenancy: Tenancy, role: MemberRole, field: str) -> None:
    """Each tries it on the key of the member, and the member on his own."""
    allowed = field != "group" and (role in ("owner", "admin") or (role == "member" and field in OWNERS))
    said, actor = fields(**{field: SAID[field]}), tenancy.actor(role)
    if allowed:
        update_key(tenancy.home, tenancy.key_id("member"), said, actor=actor)
        return
    with pytest.raises((Forbidden, AdministrationError)):
        update_key(tenancy.home, tenancy.key_id("member"), said, actor=actor)


def test_what_is_not_ones_own_needs_the_permission_for_all(tenancy: Tenancy) -> None:
    require_fields(fields(team="t"), tenancy.ours, tenancy.actor("admin"), own=False)
    for said in (fields(team="t"), fields(owner="x"), fields(config="c"), fields(admin=True)):
        with pytest.raises(Forbidden):
            require_fields(said, tenancy.ours, tenancy.actor("member"), own=True)


def test_what_is_said_becomes_columns_and_an_empty_value_takes_away() -> None:
    assert columns_of(KeyFields()) == {}
    assert columns_of(
        fields(group="g", allowed_models=("a",), ip_deny=("192.0.2.1", "::ffff:192.0.2.0/120"), admin=False)
    ) == {
        "group_name": "g",
        "allowed_models": ("a",),
        "ip_deny": ("192.0.2.1/32", "192.0.2.0/24"),
        "admin": False,
    }
    empty = columns_of(fields(group="", allowed_models=(), metadata={}, expires_at=0, ip_allow=(), concurrency=0))
    assert set(empty.values()) == {None}
    assert set(empty) == {"group_name", "allowed_models", "metadata", "expires_at", "ip_allow", "concurrency"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": " "}, "keys.bad_name"),
        ({"config": "x" * 65}, "keys.bad_word"),
        ({"logging": "everything"}, "keys.bad_logging"),
        ({"logging_days": 366}, "keys.bad_logging_days"),
        ({"concurrency": -1}, "keys.bad_number"),
        ({"expires_at": 2**60}, "keys.bad_number"),
        ({"ip_allow": ("192.0.2.1/24",)}, "keys.bad_network"),
        ({"ip_deny": ("example.com",)}, "keys.bad_network"),
        ({"ip_deny": ("192.0.2.1",) * 257}, "keys.many_networks"),
        ({"allowed_models": ("a\nb",)}, "keys.bad_word"),
    ],
)
def test_what_cannot_be_meant(said: dict[str, object], code: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        columns_of(fields(**said))
    assert refused.value.code == code
