"""Webhooks: who may have which."""

from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden
from anykey.administration import webhooks
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.organisations import create_organisation


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def test_a_webhooks_life(home: Home) -> None:
    org = create_organisation(home, "acme")
    billing = Actor("key:1", "billing", org.id)
    of_all = webhooks.create_webhook(home, "http://127.0.0.1:9/x")
    own = webhooks.create_webhook(home, "https://acme.example/hook", ("balance.low",), actor=billing)
    assert (of_all.row.organisation, own.row.organisation) == (None, org.id)
    assert own.secret == webhooks.webhook_secret(own.row.id, home.pepper)
    assert own.secret != of_all.secret
    assert own.secret not in repr(own)
    assert webhooks.list_webhooks(home, actor=billing) == [own.row]
    assert {row.id: row for row in webhooks.list_webhooks(home)} == {row.id: row for row in (of_all.row, own.row)}
    with pytest.raises(AdministrationError) as refused:
        webhooks.disable_webhook(home, of_all.row.id, actor=billing)
    assert refused.value.code == "webhooks.not_found"
    webhooks.disable_webhook(home, own.row.id, actor=billing)
    with pytest.raises(AdministrationError):
        webhooks.disable_webhook(home, own.row.id)
    with pytest.raises(Forbidden):
        webhooks.create_webhook(home, "https://x.example", actor=Actor("key:2", "viewer", org.id))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x.example",
        "http://x.example",
        "http://localhost/x",
        "http://127.0.0.1.example/",
        "https://user:pw@x.example",
        "https://",
        "https://x.example:port",
        "https://x example",
        "https://x.example/" + "x" * 500,
        "//x.example",
    ],
)
def test_addresses_that_are_not_called(home: Home, url: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        webhooks.create_webhook(home, url)
    assert refused.value.code == "webhooks.bad_url"


def test_this_machine_is_only_an_operators_to_call(home: Home) -> None:
    with pytest.raises(AdministrationError):
        webhooks.create_webhook(home, "http://127.0.0.1:9/x", organisation="default")
    with pytest.raises(AdministrationError) as refused:
        webhooks.create_webhook(home, "https://x.example", ("everything",))
    assert refused.value.code == "webhooks.bad_events"


def test_an_organisation_has_only_so_many(home: Home) -> None:
    made = [
        webhooks.create_webhook(home, f"https://x.example/{number}", organisation="default")
        for number in range(webhooks.WEBHOOKS_MOST)
    ]
    with pytest.raises(AdministrationError) as refused:
        webhooks.create_webhook(home, "https://x.example/more", organisation="default")
    assert refused.value.code == "webhooks.too_many"
    webhooks.disable_webhook(home, made[0].row.id)
    webhooks.create_webhook(home, "https://x.example/more", organisation="default")
