"""A copy taken under load, put back elsewhere: the ledger is right and the keys are good."""

import asyncio
from pathlib import Path

import pytest

from anykey.accounts.keys import KeyRefusal, parse, verify
from anykey.administration import ledger, master_key
from anykey.administration.audit import list_entries
from anykey.administration.backup import back_up, dump_command, load_command, restore
from anykey.administration.configuration import load_configuration
from anykey.administration.credentials import add_credential, list_credentials
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import create_key
from anykey.settings import load_settings
from anykey.storage.key_changes import reading
from anykey.storage.key_reading import read_keys
from anykey.storage.migrate import locate_database, open_server
from anykey.storage.processes import enter
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase
from anykey.storage.till import Till
from tests.fakes.charges import ask, ending, fill, opening, purse, states
from tests.services.postgres import PostgresServer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path / "home")


def put_back(path: Path, file: Path, environ: dict[str, str] | None = None, *, force: bool = False) -> Home:
    restore(path, file, database=SqliteDatabase(path / FILE_NAME), environ=environ or {}, force=force)
    return prepare_home(path, environ or {})


async def test_a_copy_taken_under_load_is_right_elsewhere(home: Home, tmp_path: Path) -> None:
    created = create_key(home, "ci")
    settings = load_settings({"ANYKEY_HOME": str(home.path)})
    add_credential(home, settings, "anthropic", "sk-ant-0123456789")
    fill(home.database, 10**9)
    till, spends = Till(home.database), purse(prepaid=True)
    ended = asyncio.Event()

    async def client(name: int) -> int:
        number = 0
        while not ended.is_set():
            number += 1
            await till.open(opening(f"c{name}-{number}", spends, 100))
            till.close(ending(f"c{name}-{number}", 7, state="void" if number % 3 == 0 else "settled"))
        return number

    clients = [asyncio.create_task(client(name)) for name in range(4)]
    await asyncio.sleep(0.2)
    done = await asyncio.to_thread(back_up, home, tmp_path / "copy.db", with_keys=True)
    await asyncio.sleep(0.1)
    ended.set()
    counts = await asyncio.gather(*clients)
    await till.aclose()
    assert done.bytes == (tmp_path / "copy.db").stat().st_size
    assert [Path(name).stat().st_mode & 0o777 for name in done.keys] == [0o600, 0o600]
    other = put_back(tmp_path / "other", tmp_path / "copy.db")
    assert 0 < len(states(other.database)) < sum(counts)
    assert not ledger.verify(other).broken
    assert not ledger.verify(home).broken
    parsed = parse(created.text)
    assert parsed is not None
    keys = reading(other.database, read_keys)
    found = verify(parsed, keys, other.pepper, 1_800_000_000)
    assert not isinstance(found, KeyRefusal)
    assert found.name == "ci"
    environ = {"ANYKEY_HOME": str(other.path)}
    (sealed,) = list_credentials(other)
    opened = [one for one in load_configuration(environ).providers if one.name == sealed.provider]
    assert opened[0].credential is not None
    assert opened[0].credential.reveal() == "sk-ant-0123456789"
    assert list_entries(home)[0].action == "backup.create"


def test_without_keys_a_copy_opens_nothing(home: Home, tmp_path: Path) -> None:
    done = back_up(home, tmp_path / "copy.db")
    assert done.keys == ()
    assert sorted(file.name for file in tmp_path.glob("copy*")) == ["copy.db"]
    content = (tmp_path / "copy.db").read_bytes()
    assert home.pepper not in content
    assert home.master_key.key not in content
    with pytest.raises(AdministrationError) as raised:
        put_back(tmp_path / "other", tmp_path / "copy.db")
    assert raised.value.code == "backup.no_pepper"
    assert not (tmp_path / "other" / FILE_NAME).exists()
    given = {"ANYKEY_PEPPER": home.pepper.hex()}
    assert put_back(tmp_path / "third", tmp_path / "copy.db", given).pepper == home.pepper


def test_a_copy_of_another_gateway_is_refused_where_the_pepper_is_another(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "copy.db")
    other = prepare_home(tmp_path / "other")
    create_key(other, "kept")
    with pytest.raises(AdministrationError) as raised:
        put_back(other.path, tmp_path / "copy.db")
    assert raised.value.code == "home.pepper_wrong"
    assert ask(other.database, "SELECT name FROM api_keys") == [("kept",)]


def test_credentials_that_nothing_here_opens_are_not_put_back(home: Home, tmp_path: Path) -> None:
    add_credential(home, load_settings({"ANYKEY_HOME": str(home.path)}), "anthropic", "sk-ant-0123456789")
    back_up(home, tmp_path / "copy.db", with_keys=True)
    beside = tmp_path / "copy.db.master.key"
    right = beside.read_bytes()
    beside.unlink()
    for other, code in ((b"", "home.master_key_missing"), (master_key.text_of(bytes(32)), "home.master_key_wrong")):
        if other:
            beside.write_bytes(other)
        with pytest.raises(AdministrationError) as raised:
            put_back(tmp_path / "other", tmp_path / "copy.db")
        assert raised.value.code == code
        assert not (tmp_path / "other" / FILE_NAME).exists()
    environ = {"ANYKEY_MASTER_KEY": right.decode()}
    assert len(list_credentials(put_back(tmp_path / "other", tmp_path / "copy.db", environ))) == 1


def test_a_gateway_at_work_is_not_robbed_of_its_database(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "copy.db")
    connection = home.database.connect()
    enter(connection, "this", 0)
    connection.close()
    with pytest.raises(AdministrationError) as raised:
        put_back(home.path, tmp_path / "copy.db")
    assert raised.value.code == "backup.running"
    create_key(home, "later")
    assert ask(put_back(home.path, tmp_path / "copy.db", force=True).database, "SELECT 1 FROM api_keys") == []
    (aside,) = home.path.glob(f"{FILE_NAME}.before-*")
    assert ask(SqliteDatabase(aside), "SELECT name FROM api_keys") == [("later",)]


def test_nothing_is_overwritten(home: Home, tmp_path: Path) -> None:
    (tmp_path / "copy.db.pepper").write_text("mine")
    with pytest.raises(AdministrationError) as raised:
        back_up(home, tmp_path / "copy.db", with_keys=True)
    assert raised.value.code == "backup.exists"
    assert not (tmp_path / "copy.db").exists()
    assert master_key.FILE_NAME not in "".join(file.name for file in tmp_path.glob("copy*"))


def test_a_server_has_its_own_means(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.migrated(open_server)
    secret = url.replace("//", "//me:hunter2@", 1) if "@" not in url else url
    database = locate_database(tmp_path, url)
    home = Home(tmp_path, database, b"p" * 32, master_key.MasterKey(b"k" * 32, "here"))
    with pytest.raises(AdministrationError) as raised:
        back_up(home, tmp_path / "copy")
    assert str(raised.value.values["command"]) == dump_command(database, tmp_path / "copy")
    assert "pg_dump --format=custom --no-owner --schema=public" in dump_command(database, tmp_path / "copy")
    assert "hunter2" not in load_command(locate_database(tmp_path, secret), tmp_path / "copy")
    with pytest.raises(AdministrationError) as refused:
        restore(tmp_path, tmp_path / "copy", database=database, environ={})
    assert refused.value.code == "backup.restore_on_server"
    postgres.drop_database(url)
