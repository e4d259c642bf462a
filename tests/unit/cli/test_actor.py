"""Who sits at the command line."""

import getpass

import pytest

from anykey.accounts.permissions import LOCAL
from anykey.cli.actor import local_actor


@pytest.mark.parametrize(
    ("user", "name"), [("ada", "cli:ada"), ("", "cli"), ("a\nb", "cli"), ("x" * 80, "cli:" + "x" * 64)]
)
def test_the_user_is_named(monkeypatch: pytest.MonkeyPatch, user: str, name: str) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: user)
    actor = local_actor()
    assert (actor.name, actor.is_operator) == (name, True)


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert local_actor() == LOCAL
