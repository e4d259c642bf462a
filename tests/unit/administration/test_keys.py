"""What operators do with keys, from making one to its end."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.keys import ApiKey, KeyRefusal, parse, verify
from anykey.accounts.permissions import Forbidden
from anykey.administration.audit import verify_chain
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key, list_keys, revoke_key, rotate_key, update_key
from anykey.administration.members import create_member
from anykey.administration.organisations import create_organisation
from anykey.storage.migrate import open_server
from anykey.storage.watch import KeyWatch
from tests.services.postgres import PostgresServer
from tests.unit.administration.tenancy import Tenancy


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def test_a_created_key_calls_until_it_is_revoked(home: Home) -> None:
    created = create_key(home, " ci ")
    watch = KeyWatch(home.database)
    parsed = parse(created.text)
    assert parsed is not None
    assert verify(parsed, watch.keys, home.pepper, time.time()) == created.key
    assert (created.key.name, created.key.last4) == ("ci", created.text[-4:])
    assert abs(created.key.created_at - time.time()) < 5
    revoke_key(home, created.key.id)
    watch.refresh_if_changed()
    assert verify(parsed, watch.keys, home.pepper, time.time()) is KeyRefusal.REVOKED
    watch.close()


def test_the_key_itself_is_nowhere_on_the_disk(home: Home) -> None:
    created = create_key(home, "ci")
    secret = created.text[14:].encode()
    assert [file.name for file in home.path.iterdir() if secret in file.read_bytes()] == []
    assert created.text not in f"{created!r} {list_keys(home)!r}"


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb", "\x1b[31mred", "\ud800"])
def test_a_name_is_short_and_printable(home: Home, name: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        create_key(home, name)
    assert refused.value.code == "keys.bad_name"
    assert list_keys(home) == []


def test_a_name_is_taken_while_its_key_is_in_force(home: Home) -> None:
    first = create_key(home, "ci").key
    with pytest.raises(AdministrationError) as refused:
        create_key(home, "ci")
    assert refused.value.code == "keys.name_taken"
    revoke_key(home, "ci")
    second = create_key(home, "ci").key
    assert {key.id for key in list_keys(home)} == {first.id, second.id}
    assert find_key(home, "ci").id == second.id


def test_a_key_is_found_by_id_name_or_unique_beginning(home: Home) -> None:
    laptop = create_key(home, "laptop").key
    phone = create_key(home, "phone-1").key
    create_key(home, "phone-2")
    assert find_key(home, laptop.id) == find_key(home, "laptop") == find_key(home, "lap") == laptop
    assert find_key(home, phone.id[:6]) == phone
    with pytest.raises(AdministrationError) as refused:
        find_key(home, "phone")
    assert refused.value.code == "keys.ambiguous"
    assert phone.id in str(refused.value)


@pytest.mark.parametrize("reference", ["nobody", "", "la"])
def test_what_means_no_key_is_refused(home: Home, reference: str) -> None:
    create_key(home, "laptop")
    with pytest.raises(AdministrationError) as refused:
        revoke_key(home, reference)
    assert refused.value.code == "keys.not_found"
    assert [key.revoked_at for key in list_keys(home)] == [None]


def test_a_key_is_revoked_once(home: Home) -> None:
    key = create_key(home, "ci").key
    assert revoke_key(home, "ci").revoked_at is not None
    with pytest.raises(AdministrationError) as refused:
        revoke_key(home, key.id[:5])
    assert refused.value.code == "keys.already_revoked"


def test_what_a_key_says_of_routing_is_kept_changed_and_taken_away(home: Home) -> None:
    said = KeyFields("g", "t", ("claude-*", "gpt-*"), "c", {"team": "röd"}, admin=True)
    key = create_key(home, "ci", fields=said).key
    assert (key.group_name, key.team, key.config, key.admin) == ("g", "t", "c", True)
    watch = KeyWatch(home.database)
    assert watch.keys[key.id] == list_keys(home)[0] == key
    changed = update_key(home, "ci", KeyFields(team="", allowed_models=(), metadata={}, admin=False))
    watch.refresh_if_changed()
    assert watch.keys[key.id] == list_keys(home)[0] == changed
    assert (changed.group_name, changed.team, changed.allowed_models) == ("g", None, None)
    assert (changed.config, changed.metadata, changed.admin) == ("c", None, False)
    watch.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (KeyFields(group="x" * 65), "keys.bad_word"),
        (KeyFields(team="a\nb"), "keys.bad_word"),
        (KeyFields(allowed_models=("x" * 257,)), "keys.bad_word"),
        (KeyFields(metadata={str(number): "" for number in range(17)}), "keys.much_metadata"),
        (KeyFields(metadata={"a": "x" * 513}), "keys.bad_metadata"),
    ],
)
def test_words_that_cannot_be_meant(home: Home, fields: KeyFields, code: str) -> None:
    with pytest.raises(AdministrationError) as caught:
        create_key(home, "ci", fields=fields)
    assert caught.value.code == code
    assert list_keys(home) == []


def test_a_revoked_key_is_not_changed(home: Home) -> None:
    create_key(home, "ci")
    revoke_key(home, "ci")
    with pytest.raises(AdministrationError, match="revoked"):
        update_key(home, "ci", KeyFields(team="t"))


def test_a_key_has_an_organisation_an_owner_and_limits(tenancy: Tenancy) -> None:
    fields = KeyFields(
        organisation="ours",
        owner="the member",
        budgets={"5h": 10**9, "lifetime": 10**10},
        requests_per_minute=60,
        expires_at=2**40,
        ip_allow=("192.0.2.0/24",),
        logging="off",
    )
    key = create_key(tenancy.home, "ci", fields=fields).key
    assert (key.organisation, key.member_id, key.role) == (tenancy.ours, tenancy.member("member").id, "member")
    assert (key.ip_allow, key.expires_at, key.logging) == (("192.0.2.0/24",), 2**40, "off")
    assert key.purse is not None
    assert [(one.period, one.limit_nano) for one in key.purse.budgets] == [("lifetime", 10**10), ("5h", 10**9)]
    taken = KeyFields(owner="", budgets={"5h": None, "lifetime": None}, requests_per_minute=0, logging="")
    changed = update_key(tenancy.home, key.id, taken)
    assert (changed.member_id, changed.purse, changed.logging) == (None, None, None)


def test_a_rotated_key_has_two_secrets_for_a_while(home: Home) -> None:
    first = create_key(home, "ci")
    second = rotate_key(home, "ci", overlap_s=60)
    assert second.key.id == first.key.id
    assert second.key.last4 == second.text[-4:]
    now = time.time()

    def verdicts(at: float) -> list[object]:
        with closing(KeyWatch(home.database)) as watch:
            found = [verify(parsed, watch.keys, home.pepper, at) for text in texts if (parsed := parse(text))]
        return [one.id if isinstance(one, ApiKey) else one for one in found]

    texts = [first.text, second.text]
    assert verdicts(now) == [first.key.id] * 2
    assert verdicts(now + 61) == [KeyRefusal.UNKNOWN, first.key.id]
    texts.append(rotate_key(home, "ci", overlap_s=0).text)
    assert verdicts(now) == [KeyRefusal.UNKNOWN, KeyRefusal.UNKNOWN, first.key.id]
    with pytest.raises(AdministrationError) as refused:
        rotate_key(home, "ci", overlap_s=31 * 86_400)
    assert refused.value.code == "keys.bad_overlap"


def test_a_name_is_one_keys_of_an_organisation(tenancy: Tenancy) -> None:
    for organisation in ("ours", "theirs", "default"):
        create_key(tenancy.home, "ci", fields=KeyFields(organisation=organisation))
    with pytest.raises(AdministrationError) as refused:
        update_key(tenancy.home, tenancy.key_id("owner"), KeyFields(name="ci"))
    assert refused.value.code == "keys.name_taken"
    assert update_key(tenancy.home, tenancy.key_id("owner"), KeyFields(name="cd")).name == "cd"


def test_an_administrator_makes_no_operator_and_acts_for_no_owner(tenancy: Tenancy) -> None:
    home, admin = tenancy.home, tenancy.actor("admin")
    service = create_key(home, "service", actor=admin).key
    assert (service.organisation, service.member_id, service.operator) == (tenancy.ours, None, False)
    asks = (
        lambda: create_key(home, "x", fields=KeyFields(admin=True), actor=admin),
        lambda: update_key(home, service.id, KeyFields(admin=True), actor=admin),
        lambda: update_key(home, tenancy.key_id("admin"), KeyFields(owner=""), actor=admin),
        lambda: create_key(home, "x", fields=KeyFields(owner="the owner"), actor=admin),
        lambda: rotate_key(home, tenancy.key_id("owner"), actor=admin),
        lambda: revoke_key(home, tenancy.key_id("owner"), actor=admin),
        lambda: update_key(home, service.id, KeyFields(group="free"), actor=admin),
        lambda: create_key(home, "x", actor=tenancy.actor("billing"), fields=KeyFields(owner="the owner")),
        lambda: create_key(home, "x", actor=tenancy.actor("viewer")),
    )
    for ask in asks:
        with pytest.raises(Forbidden):
            ask()
    theirs = KeyFields(organisation="theirs")
    with pytest.raises(AdministrationError) as refused:
        create_key(home, "x", fields=theirs, actor=admin)
    assert refused.value.code == "organisations.not_found"


def test_a_members_new_key_may_no_more_than_the_one_he_uses(tenancy: Tenancy) -> None:
    home, member = tenancy.home, tenancy.actor("member")
    limits = KeyFields(allowed_models=("a*",), group="g", expires_at=2**40)
    update_key(home, tenancy.key_id("member"), limits)
    own = create_key(home, "own", actor=member).key
    assert (own.member_id, own.organisation, own.admin) == (member.member_id, tenancy.ours, False)
    assert (own.allowed_models, own.expires_at, own.group_name) == (("a*",), 2**40, "g")
    assert create_key(home, "less", fields=KeyFields(allowed_models=("ab",)), actor=member).key.allowed_models == (
        "ab",
    )
    for said in (KeyFields(allowed_models=("b",)), KeyFields(allowed_models=()), KeyFields(expires_at=0)):
        for ask in (
            lambda said=said: create_key(home, "more", fields=said, actor=member),
            lambda said=said: update_key(home, own.id, said, actor=member),
        ):
            with pytest.raises(AdministrationError) as refused:
                ask()
            assert refused.value.code == "keys.wider"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (KeyFields(budgets={"lifetime": 10**9}), "budgets"),
        (KeyFields(requests_per_minute=5), "requests_per_minute"),
        (KeyFields(concurrency=1), "concurrency"),
    ],
)
def test_a_member_whose_key_has_limits_of_its_own_makes_no_second_one(
    tenancy: Tenancy, limits: KeyFields, field: str
) -> None:
    member = tenancy.actor("member")
    update_key(tenancy.home, tenancy.key_id("member"), limits)
    with pytest.raises(AdministrationError) as refused:
        create_key(tenancy.home, "own", actor=member)
    assert (refused.value.code, refused.value.values["field"]) == ("keys.counted", field)
    assert rotate_key(tenancy.home, tenancy.key_id("member"), actor=member).key.purse is not None


async def test_the_verbs_do_the_same_on_a_server(tmp_path: Path, postgres: PostgresServer) -> None:
    home = prepare_home(tmp_path, {}, postgres.migrated(open_server))
    try:
        organisation = create_organisation(home, "ours")
        member = create_member(home, "Ada", organisation="ours")
        fields = KeyFields(organisation="ours", owner="Ada", budgets={"1d": 5}, metadata={"a": "ü"}, strict=True)
        made = create_key(home, "ci", fields=fields)
        assert find_key(home, "ci") == made.key
        changed = update_key(home, "ci", KeyFields(budgets={"1d": None}, strict=False))
        assert (changed.purse, changed.strict, changed.member_id) == (None, False, member.id)
        assert revoke_key(home, "ci").revoked_at is not None
        assert made.key.organisation == organisation.id
        chain = verify_chain(home)
        assert (chain.entries, chain.broken_at) == (5, None)
    finally:
        postgres.drop_database(home.database.name)
