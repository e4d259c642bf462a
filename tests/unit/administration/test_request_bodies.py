"""Who reads what was said in calls, what that leaves behind, and how it is forgotten."""

from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.permissions import MEMBER_ROLES, Forbidden
from anykey.administration.audit import list_entries
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.request_bodies import forget, read_bodies, spelled
from anykey.storage.exchange_bodies import ExchangeBodies, put_bodies, sealed
from tests.fakes.bodies import CANARY, bodies_of
from tests.unit.administration.tenancy import Tenancy


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def keep(home: Home, *bodies: ExchangeBodies) -> None:
    with closing(home.database.connect()) as connection:
        put_bodies(connection, [sealed(one, home.pepper) for one in bodies])


def actions(home: Home) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.action, entry.target) for entry in list_entries(home)]


def code_of(home: Home, request_id: str) -> str:
    with pytest.raises(AdministrationError) as refused:
        read_bodies(home, request_id)
    return refused.value.code


def test_each_reading_is_in_the_audit_log(home: Home) -> None:
    keep(home, bodies_of())
    assert read_bodies(home, "req_1") == bodies_of()
    assert read_bodies(home, " req_1 ").answer == bodies_of().answer
    assert actions(home)[:2] == [("cli", "bodies.read", "req_1")] * 2


def test_what_is_not_there_is_over_or_broken(home: Home) -> None:
    assert code_of(home, "req_1") == "bodies.not_found"
    keep(home, bodies_of(expires_at=1), bodies_of(id="req_2"))
    assert code_of(home, "req_1") == "bodies.not_found"
    with closing(home.database.connect()) as connection:
        connection.execute("UPDATE exchange_bodies SET key_id = 'other' WHERE id = 'req_2'")
    assert code_of(home, "req_2") == "bodies.broken"


def test_an_owner_reads_his_organisations_and_nobody_else_reads_any(tenancy: Tenancy) -> None:
    home = tenancy.home
    for organisation in (tenancy.ours, tenancy.theirs):
        fields = KeyFields(organisation=organisation, logging="full")
        key = create_key(home, "logged", fields=fields).key
        keep(home, bodies_of(id=organisation, key_id=key.id, organisation=organisation))
    assert read_bodies(home, tenancy.ours, actor=tenancy.actor("owner")).organisation == tenancy.ours
    owners = actions(home)
    for reference in (tenancy.theirs, "nothing"):
        with pytest.raises(AdministrationError) as refused:
            read_bodies(home, reference, actor=tenancy.actor("owner"))
        assert refused.value.code == "bodies.not_found"
    for role in set(MEMBER_ROLES) - {"owner"}:
        with pytest.raises(Forbidden):
            read_bodies(home, tenancy.ours, actor=tenancy.actor(role))
    assert owners[0][1:] == ("bodies.read", tenancy.ours)
    assert actions(home) == owners, "who was refused read nothing"


def test_operators_keys_and_keys_that_are_gone_are_no_business_of_an_owner(tenancy: Tenancy) -> None:
    home = tenancy.home
    key = create_key(home, "operator's", fields=KeyFields(organisation=tenancy.ours, admin=True)).key
    keep(home, bodies_of(id="a", key_id=key.id, organisation=tenancy.ours))
    keep(home, bodies_of(id="b", key_id="gone", organisation=tenancy.ours))
    for request_id in ("a", "b"):
        with pytest.raises(AdministrationError):
            read_bodies(home, request_id, actor=tenancy.actor("owner"))
        assert read_bodies(home, request_id).id == request_id


def test_forgetting(tenancy: Tenancy) -> None:
    home = tenancy.home
    key = create_key(home, "logged").key
    keep(home, *(bodies_of(id=f"req_{at}", key_id=key.id, at=at) for at in range(450)), bodies_of(id="other"))
    assert forget(home, key="logged", before_ms=440) == 440
    assert code_of(home, "req_0") == "bodies.not_found"
    assert forget(home, key="logged") == 10
    assert read_bodies(home, "other").id == "other"
    assert forget(home) == 1
    with pytest.raises(AdministrationError):
        forget(home, key="nobody's")
    with pytest.raises(Forbidden):
        forget(home, actor=tenancy.actor("owner"))
    assert [action for _, action, _ in actions(home)].count("bodies.forget") == 3


def test_after_deletion_and_vacuum_nothing_is_left_and_nothing_was_ever_in_the_clear(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    noise = bytes(range(256)) * 64
    kept = [sealed(bodies_of(id=f"req_{n}", request=f"{CANARY} {n} ".encode() + noise), home.pepper) for n in range(50)]
    with closing(home.database.connect()) as connection:
        put_bodies(connection, kept)
        during = files(tmp_path)
        assert forget(home) == 50
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        after = files(tmp_path)
    assert any(one.request[:32] in during for one in kept)
    for sealed_bodies in kept:
        assert sealed_bodies.request[:32] not in after
        assert sealed_bodies.answer[:32] not in after
    for text in (CANARY.encode(), CANARY[:20].encode(), "Zürich".encode()):
        assert text not in during + after


def files(folder: Path) -> bytes:
    """The database's file and those beside it."""
    found = sorted(folder.glob("anykey.db*"))
    assert found
    return b"".join(file.read_bytes() for file in found)


def test_a_side_is_told_as_text_or_in_base64_and_whether_it_is_cut() -> None:
    whole = {"text": "Zürich", "base64": None, "bytes": 7, "cut": False}
    assert spelled(bodies_of(request="Zürich".encode()), "request") == whole
    assert spelled(bodies_of(answer=b"\xff\x00"), "answer") == {
        "text": None,
        "base64": "/wA=",
        "bytes": 2,
        "cut": False,
    }
    cut = bodies_of(request="Zü".encode()[:2], request_bytes=7)
    assert spelled(cut, "request") == {"text": "Z", "base64": None, "bytes": 7, "cut": True}
