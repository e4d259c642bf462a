"""What is in the database, as a document: in force only, by name, without a secret."""

from pathlib import Path

import pytest

from anykey.accounts.permissions import LOCAL, Actor, Forbidden
from anykey.administration.declaring.document import document_text
from anykey.administration.declaring.reading import export_document, read_state
from anykey.administration.home import prepare_home
from anykey.administration.keys import create_key, revoke_key
from anykey.administration.members import remove_member
from anykey.administration.organisations import close_organisation
from anykey.administration.teams import close_team
from tests.unit.administration.declaring.documents import FULL, applied


def test_a_fresh_database_has_the_default_organisation(tmp_path: Path) -> None:
    document = export_document(prepare_home(tmp_path))
    assert document.organisations is not None
    assert list(document.organisations) == ["default"]
    assert (document.rate_cards, document.configs, document.webhooks, document.credentials) == ((), {}, (), None)


def test_what_has_ended_is_not_in_it_and_no_secret_is(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    applied(home, FULL)
    text = create_key(home, "gone").text
    revoke_key(home, "gone")
    close_organisation(home, "acme")
    remove_member(home, "ann", organisation="default")  # and with her, her key
    close_team(home, "red", organisation="default")
    document = export_document(home)
    assert document.organisations is not None
    default = document.organisations["default"]
    assert (default.teams, default.members, list(default.keys or {})) == ({}, {}, ["root"])
    assert list(document.organisations) == ["default"]
    assert [hook.url for hook in document.webhooks or ()] == ["https://example.com/x"]
    assert text[:12] not in document_text(document)
    state = read_state(home, LOCAL)
    assert [row.version for row in state.cards] == [1, 2, 1]
    assert set(state.key_ids) == {("default", "root")}


def test_a_key_has_its_own_team_and_not_that_of_its_member(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    applied(home, FULL)
    document = export_document(home)
    assert document.organisations is not None
    keys = document.organisations["default"].keys
    assert keys is not None
    assert (keys["ci"].owner, keys["ci"].team) == ("ann", "")


def test_it_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        export_document(prepare_home(tmp_path), actor=Actor("key:x", "owner", "default", None, None))
