"""A document made true: all or nothing, once, and the same again from what it left."""

from contextlib import closing
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from anykey.accounts.keys import parse
from anykey.administration.audit import list_entries, verify_chain
from anykey.administration.credentials import list_credentials
from anykey.administration.declaring.applying import apply_document
from anykey.administration.declaring.document import Document, document_text, read_document
from anykey.administration.declaring.reading import export_document
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import find_key
from anykey.administration.master_key import MasterKey
from anykey.storage.migrate import locate_database, open_server
from tests.fakes.charges import ask
from tests.services.postgres import PostgresServer
from tests.unit.administration.declaring.documents import FULL, applied, around, documents, lines

ADDED = [
    "~ organisations.default budgets",
    "+ organisations.default.teams.red",
    "+ organisations.default.members.ann",
    "+ organisations.default.keys.ci",
    "+ organisations.default.keys.root",
    "+ organisations.acme",
    "+ organisations.acme.keys.one",
    "+ configs.c",
    "+ rate_cards.m1",
    "+ rate_cards.m1",
    "+ rate_cards.m2@p",
    "+ webhooks.https://example.com/x",
    "+ webhooks.https://example.com/y",
]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_home(tmp_path_factory.mktemp("empty")).path


@pytest.fixture
def home(empty: Path, tmp_path: Path) -> Home:
    copytree(empty, tmp_path / "home")
    return prepare_home(tmp_path / "home")


def test_it_is_shown_then_done_then_there(home: Home) -> None:
    assert lines(applied(home, FULL, dry_run=True)) == ADDED
    assert ask(home.database, "SELECT COUNT(*) FROM audit") == [(0,)]
    done = applied(home, FULL)
    assert lines(done) == ADDED
    assert [secret.path.rpartition(".")[2] for secret in done.secrets][:3] == ["ci", "root", "one"]
    assert all(secret.text not in repr(done) for secret in done.secrets)
    parsed = parse(done.secrets[0].text)
    assert parsed is not None
    assert parsed.id == find_key(home, "ci").id
    assert lines(applied(home, FULL)) == []
    assert lines(applied(home, FULL, dry_run=True, prune=True)) == []
    assert verify_chain(home).broken_at is None
    assert len(list_entries(home)) >= len(ADDED)


@given(documents())
@settings(max_examples=8, deadline=None)
def test_what_it_left_makes_the_same_elsewhere(empty: Path, document: Document) -> None:
    with TemporaryDirectory() as folder:
        first, second = (prepare_home(copytree(empty, Path(folder) / name)) for name in ("first", "second"))
        apply_document(first, document, around(first))
        exported = export_document(first)
        assert apply_document(first, document, around(first), dry_run=True, prune=True).changes == ()
        assert apply_document(first, exported, around(first), dry_run=True, prune=True).changes == ()
        written = read_document(document_text(exported).encode(), "a.yaml")
        apply_document(second, written, around(second))
        assert document_text(export_document(second)) == document_text(exported)


def test_one_thing_that_is_refused_undoes_the_rest(home: Home) -> None:
    wrong = FULL.replace("owner: ann", "owner: nobody")
    for dry_run in (True, False):
        with pytest.raises(AdministrationError) as raised:
            applied(home, wrong, dry_run=dry_run)
        assert raised.value.code == "members.not_found"
    assert ask(home.database, "SELECT COUNT(*) FROM organisations") == [(1,)]
    assert ask(home.database, "SELECT COUNT(*) FROM audit") == [(0,)]


def test_what_is_not_named_ends_only_where_it_is_asked_for(home: Home) -> None:
    applied(home, FULL)
    less = "anykey: 1\norganisations: {default: {keys: {}, budgets: {1d: 10}}}\nconfigs: {}\nrate_cards: []"
    assert lines(applied(home, less)) == []
    assert lines(applied(home, less, prune=True)) == [
        "- organisations.acme",
        "- organisations.default.keys.ci",
        "- organisations.default.keys.root",
        "- configs.c",
        "- rate_cards.m1/v1",
        "- rate_cards.m1/v2",
        "- rate_cards.m2@p/v1",
    ]
    document = export_document(home)
    assert document.organisations is not None
    assert list(document.organisations) == ["default"]
    assert list(document.organisations["default"].teams or {}) == ["red"]


def test_the_organisation_that_cannot_end_stays_as_it_is_where_it_is_not_named(home: Home) -> None:
    applied(home, FULL)
    less = "anykey: 1\norganisations: {}"
    assert lines(applied(home, less, prune=True)) == ["- organisations.acme"]
    assert lines(applied(home, less, prune=True)) == []


def test_credentials_are_sealed_from_where_they_are(home: Home) -> None:
    said = "anykey: 1\ncredentials: [{provider: anthropic, env: A_KEY, weight: 2}, {provider: groq, file: groq.txt}]"
    with pytest.raises(AdministrationError) as raised:
        applied(home, said)
    assert raised.value.code == "declaring.credential_unset"
    (home.path / "groq.txt").write_text("gsk-0123456789\n")
    assert lines(applied(home, said, A_KEY="sk-ant-0123456789", dry_run=True)) == [
        "+ credentials.anthropic#key-1",
        "+ credentials.groq#key-1",
    ]
    assert list_credentials(home) == []
    applied(home, said, A_KEY="sk-ant-0123456789")
    assert [(row.reference, row.weight) for row in list_credentials(home)] == [
        ("anthropic#key-1", 2),
        ("groq#key-1", 1),
    ]
    assert lines(applied(home, said, A_KEY="sk-ant-0123456789")) == []
    other = said.replace("weight: 2", "weight: 3")
    assert lines(applied(home, other, A_KEY="sk-ant-0123456789")) == ["~ credentials.anthropic#key-1 weight"]
    rotated = applied(home, other, A_KEY="sk-ant-9876543210")
    assert lines(rotated) == ["~ credentials.anthropic#key-1 secret"]
    assert "9876543210" not in repr(rotated)
    assert lines(applied(home, "anykey: 1\ncredentials: []", prune=True)) == [
        "- credentials.anthropic#key-1",
        "- credentials.groq#key-1",
    ]
    assert list_credentials(home) == []


def test_the_same_on_a_server(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.migrated(open_server)
    database = locate_database(tmp_path, url)
    home = Home(tmp_path, database, b"p" * 32, MasterKey(b"k" * 32, "here"))
    assert lines(applied(home, FULL, dry_run=True)) == ADDED
    with pytest.raises(AdministrationError):
        applied(home, FULL.replace("owner: ann", "owner: nobody"))
    assert lines(applied(home, FULL)) == ADDED
    assert lines(applied(home, FULL, prune=True)) == []
    with closing(database.connect()) as connection:
        assert connection.execute("SELECT COUNT(*) FROM api_keys").fetchone() == (3,)
    postgres.drop_database(url)
