"""What is a name, and what is written of a change."""

import json

import pytest

from anykey.accounts.permissions import LOCAL
from anykey.administration.audit import list_entries
from anykey.administration.errors import AdministrationError
from anykey.administration.tenants import good_globs, good_name, note, open_organisation, own_organisation
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from tests.unit.administration.tenancy import Tenancy


def test_names_and_lists() -> None:
    assert good_name("  röd 1 ") == "röd 1"
    assert good_globs(["a*", "b"]) == ("a*", "b")
    assert good_globs(()) is good_globs(None) is None
    for globs in ([""], ["x" * 257], ["a\nb"], ["a"] * 257):
        with pytest.raises(AdministrationError):
            good_globs(globs)


def test_who_says_no_organisation_means_his_own(tenancy: Tenancy) -> None:
    def read(connection: Connection) -> tuple[str, str, str]:
        own = own_organisation(connection, None, tenancy.actor("member"))
        return own.id, own_organisation(connection, None, LOCAL).id, open_organisation(connection, "theirs", LOCAL).id

    assert reading(tenancy.home.database, read) == (tenancy.ours, "default", tenancy.theirs)


def test_only_what_differs_is_noted(tenancy: Tenancy) -> None:
    before, after = {"a": 1, "b": 2, "c": None}, {"a": 1, "b": 3, "d": 4}
    target = ("key", "k", tenancy.ours)
    changing_keys(tenancy.home.database, lambda c: note(c, LOCAL, "keys.update", target, (before, after)))
    changing_keys(tenancy.home.database, lambda c: note(c, LOCAL, "keys.create", target, (None, after)))
    made, changed = list_entries(tenancy.home, limit=2)
    assert (json.loads(changed.before or ""), json.loads(changed.after or "")) == ({"b": 2}, {"b": 3, "d": 4})
    assert (made.before, json.loads(made.after or "")) == (None, after)
    assert (made.target_kind, made.target, made.organisation, made.actor) == ("key", "k", tenancy.ours, "cli")
