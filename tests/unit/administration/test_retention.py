"""What is kept for how long, shown and done at once."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden
from anykey.administration.audit import list_entries
from anykey.administration.home import prepare_home
from anykey.administration.retention import days_of, run, show
from anykey.settings.records import RetentionSettings
from anykey.storage.database import whole

VIEWER = Actor("key:x", "viewer", "default", None, None)


def test_what_is_over_goes_and_is_written_down(tmp_path: Path) -> None:
    home, settings = prepare_home(tmp_path), RetentionSettings(deliveries_days=1)
    add = "INSERT INTO deliveries (id, webhook_id, event, body, at) VALUES (?, 'w', 'e', '{}', ?)"
    with closing(home.database.connect()) as connection, whole(connection):
        for name, at in (("old", 0), ("new", int(time.time() * 1000))):
            connection.execute(add, (name, at))
    rules = {rule.table: rule for rule in show(home, settings)}
    assert (rules["deliveries"].days, rules["deliveries"].rows) == (1, 2)
    assert (rules["audit"].keeps, rules["audit"].days) == ("always", None)
    assert run(home, settings, pause_s=0) == {"deliveries": 1}
    assert run(home, settings, pause_s=0) == {}
    (entry,) = list_entries(home)
    assert (entry.action, entry.before) == ("retention.run", '{"deliveries":1}')


def test_it_is_the_operators(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    with pytest.raises(Forbidden):
        run(home, RetentionSettings(), actor=VIEWER)
    with pytest.raises(Forbidden):
        show(home, RetentionSettings(), actor=VIEWER)


def test_days_are_those_of_the_settings() -> None:
    settings = RetentionSettings(exchanges_days=7)
    assert (days_of("exchanges", settings), days_of("charges", settings), days_of("codes", settings)) == (7, 0, None)
