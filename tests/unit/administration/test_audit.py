"""The audit log as operators read it."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden, MemberRole
from anykey.administration.audit import list_entries, verify_chain
from anykey.administration.catalogue import update_from_files
from anykey.administration.configs import delete_config, put_config
from anykey.administration.credentials import (
    EVERY_PROVIDER,
    add_credential,
    remove_credential,
    rotate_master_key,
    weigh_credential,
)
from anykey.administration.errors import AdministrationError
from anykey.administration.health import enable
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import create_key, revoke_key, rotate_key
from anykey.administration.models import pin, unpin
from anykey.administration.organisations import create_organisation
from anykey.settings import load_settings
from anykey.storage.errors import StorageError
from anykey.storage.health import HealthRow
from tests.unit.administration.tenancy import Tenancy

FACTS = """
source = "us"
observed_on = "2026-11-01"
[[models]]
vendor = "openai"
model = "m"
prices = { input = "1", output = "2" }
"""
SECRET = "sk-canary-0123456789abcdef"


def test_each_change_is_one_entry_and_none_holds_a_secret(tenancy: Tenancy) -> None:
    home, admin = tenancy.home, tenancy.actor("admin")
    before = verify_chain(home).entries
    texts = [create_key(home, "ci", actor=admin).text, rotate_key(home, "ci", actor=admin).text]
    revoke_key(home, "ci", actor=admin)
    assert verify_chain(home).entries == before + 3
    told = repr(list_entries(home, actor=admin))
    assert all(text[14:] not in told for text in texts)
    assert "digest" not in told
    assert {entry.actor for entry in list_entries(home, limit=3)} == {f"key:{tenancy.key_id('admin')}"}


def test_an_organisation_reads_its_own(tenancy: Tenancy) -> None:
    own = list_entries(tenancy.home, actor=tenancy.actor("owner"))
    assert own
    assert {entry.organisation for entry in own} == {tenancy.ours}
    assert len(list_entries(tenancy.home, limit=5000)) > len(own)
    older = list_entries(tenancy.home, before_seq=own[0].seq, actor=tenancy.actor("owner"))
    assert older == own[1:]


@pytest.mark.parametrize("role", ["billing", "member", "viewer"])
def test_who_may_not_read_it(tenancy: Tenancy, role: MemberRole) -> None:
    with pytest.raises(Forbidden):
        list_entries(tenancy.home, actor=tenancy.actor(role))


def test_only_an_operator_checks_the_whole(tenancy: Tenancy) -> None:
    with pytest.raises(Forbidden):
        verify_chain(tenancy.home, actor=tenancy.actor("owner"))


def test_a_head_that_was_kept_is_looked_for(tenancy: Tenancy) -> None:
    kept = verify_chain(tenancy.home)
    create_key(tenancy.home, "ci")
    assert verify_chain(tenancy.home, expect=f"{kept.entries}:{kept.head.hex()}").broken_at is None
    assert verify_chain(tenancy.home, expect=f"{kept.entries}:{'0' * 64}").broken_at == kept.entries
    for head in ("", "1", "x:" + "0" * 64, "1:0", "9" * 30 + ":" + "0" * 64):
        with pytest.raises(AdministrationError) as refused:
            verify_chain(tenancy.home, expect=head)
        assert refused.value.code == "audit.bad_head"


def test_an_altered_entry_is_found(tenancy: Tenancy) -> None:
    with closing(tenancy.home.database.connect()) as connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE seq = 3")
    chain = verify_chain(tenancy.home)
    assert (chain.entries, chain.broken_at, chain.reason) == (2, 3, "altered")


class Verbs:
    """The writing verbs that are about the whole gateway, each done once."""

    def __init__(self, home: Home, folder: Path) -> None:
        (home.path / "anykey.toml").write_text("")
        self.home = home
        self.settings = load_settings({"ANYKEY_HOME": str(home.path)}, None, EVERY_PROVIDER)
        (home.path / "anykey.toml").write_text('[providers.openai]\napi_key = "sk-canary-0123456789"\n')
        self.models = load_settings({"ANYKEY_HOME": str(home.path)})
        self.facts = folder / "mine.toml"
        self.facts.write_text(FACTS)

    def all(self, actor: Actor) -> list[tuple[str, Callable[[], object]]]:
        """The action of each, and the verb."""
        home = self.home
        row = HealthRow(
            deployment="", credential="openai", state="resting", until_ms=None, reason="rate_limited: x", changed_ms=1
        )
        return [
            ("configs.put", lambda: put_config(home, "c", b'{"provider": "a"}', actor=actor)),
            ("configs.delete", lambda: delete_config(home, "c", actor=actor)),
            ("credentials.add", lambda: add_credential(home, self.settings, "openai", SECRET, actor=actor)),
            ("credentials.weigh", lambda: weigh_credential(home, "openai", 3, actor=actor)),
            ("credentials.reseal", lambda: rotate_master_key(home, actor=actor)),
            ("credentials.remove", lambda: remove_credential(home, "openai", actor=actor)),
            ("models.pin", lambda: pin(home, self.models, "openai", ["m"], actor=actor)),
            ("models.unpin", lambda: unpin(home, self.models, "openai", ["m"], actor=actor)),
            ("catalogue.update", lambda: update_from_files(home, [self.facts], date(2026, 11, 1), actor=actor)),
            ("providers.enable", lambda: (put_health(home, row), enable(home, "openai", actor=actor))),
        ]


def put_health(home: Home, row: HealthRow) -> None:
    with closing(home.database.connect()) as connection:
        values = [getattr(row, name) for name in HealthRow.__struct_fields__]
        columns = ", ".join(HealthRow.__struct_fields__)
        connection.execute(f"INSERT INTO health ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def test_every_verb_about_the_gateway_is_one_entry_of_its_actor(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    ada = Actor("cli:ada", "operator")
    for seq, (action, do) in enumerate(Verbs(home, tmp_path).all(ada), 1):
        do()
        entry = list_entries(home, limit=1)[0]
        assert (entry.seq, entry.actor, entry.action, entry.organisation) == (seq, "cli:ada", action, None)
        assert SECRET not in repr(entry)
    assert verify_chain(home).broken_at is None


def test_nobody_of_an_organisation_does_any_of_them(tenancy: Tenancy, tmp_path: Path) -> None:
    before = verify_chain(tenancy.home)
    for _, do in Verbs(tenancy.home, tmp_path).all(tenancy.actor("owner")):
        with pytest.raises(Forbidden):
            do()
    assert verify_chain(tenancy.home) == before


def test_what_cannot_be_audited_is_not_done(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    verbs = Verbs(home, tmp_path).all(Actor("cli:ada", "operator"))
    with closing(home.database.connect()) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
        for _, do in verbs[:1] + verbs[2:3] + verbs[6:7] + verbs[8:]:
            with pytest.raises(StorageError):
                do()
        for ask in (lambda: create_key(home, "ci"), lambda: create_organisation(home, "o")):
            with pytest.raises(StorageError):
                ask()
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("configs", "credentials", "provider_models", "model_facts", "api_keys", "audit", "health")
        ]
        organisations = connection.execute("SELECT count(*) FROM organisations").fetchone()[0]
    assert counts == [0, 0, 0, 0, 0, 0, 1]
    assert organisations == 1
