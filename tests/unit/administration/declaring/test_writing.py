"""Entries as calls of the verbs: all that an entry says is set, all that it leaves out is taken away."""

from pathlib import Path

import pytest

from anykey.accounts.permissions import LOCAL, Actor, Forbidden
from anykey.administration.declaring import writing
from anykey.administration.declaring.document import (
    Document,
    KeyEntry,
    MemberEntry,
    OrganisationEntry,
    TeamEntry,
    WebhookEntry,
)
from anykey.administration.declaring.reading import export_document
from anykey.administration.home import Home, prepare_home
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import find_key
from anykey.administration.members import MemberFields
from anykey.administration.organisations import OrganisationFields
from anykey.administration.teams import TeamFields

FULL_KEY = KeyEntry(
    group="g", team="t", owner="ann", admin=True, strict=True, allowed_models=("a",), config="c", metadata={"k": "v"},
    budgets={"1d": "1.00", "5h": "2.00"}, requests_per_minute=1, tokens_per_minute=2, concurrency=3,
    expires_at="2030-01-01T00:00:00Z", ip_allow=("10.0.0.0/8",), ip_deny=("10.0.0.1/32",), logging="off", logging_days=4,
)  # fmt: skip
FULL_ORGANISATION = OrganisationEntry(prepaid=True, allowed_models=("a",), low_balance="1.00", budgets={"1d": "3.00"})
FULL_TEAM = TeamEntry(allowed_models=("a",), budgets={"1d": "3.00"})
FULL_MEMBER = MemberEntry(role="owner", email="a@b.c", team="t", budgets={"1d": "3.00"})


def organisation(home: Home, name: str) -> OrganisationEntry:
    document: Document = export_document(home)
    assert document.organisations is not None
    return document.organisations[name]


def test_every_field_is_set_and_taken_away_again(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    writing.new_organisation("o", FULL_ORGANISATION)(home, LOCAL)
    writing.new_team("o", "t", FULL_TEAM)(home, LOCAL)
    writing.new_member("o", "ann", FULL_MEMBER)(home, LOCAL)
    text = writing.new_key("o", "k", FULL_KEY)(home, LOCAL)
    assert text is not None
    assert text.startswith("ak-")
    made = organisation(home, "o")
    assert (made.prepaid, made.allowed_models, made.low_balance, made.budgets) == (True, ("a",), "1.00", {"1d": "3.00"})
    assert (made.teams, made.members, made.keys) == ({"t": FULL_TEAM}, {"ann": FULL_MEMBER}, {"k": FULL_KEY})
    writing.changed_key(find_key(home, "k").id, FULL_KEY, KeyEntry())(home, LOCAL)
    writing.changed_member("o", "ann", FULL_MEMBER, MemberEntry())(home, LOCAL)
    writing.changed_team("o", "t", FULL_TEAM, TeamEntry())(home, LOCAL)
    writing.changed_organisation("o", FULL_ORGANISATION, OrganisationEntry())(home, LOCAL)
    assert organisation(home, "o") == OrganisationEntry(
        teams={"t": TeamEntry()}, members={"ann": MemberEntry()}, keys={"k": KeyEntry()}
    )


def test_every_field_that_a_verb_takes_is_in_the_document() -> None:
    entries = {
        KeyFields: {*KeyEntry.__struct_fields__, "name", "organisation"},
        MemberFields: {*MemberEntry.__struct_fields__, "name"},
        TeamFields: set(TeamEntry.__struct_fields__),
        OrganisationFields: {*OrganisationEntry.__struct_fields__, "name", "low_balance_nano"},
    }
    for fields, entry in entries.items():
        assert set(fields.__struct_fields__) <= entry, fields


def test_what_signs_a_webhook_is_told(tmp_path: Path) -> None:
    secret = writing.new_webhook(WebhookEntry(url="https://example.com", events=("balance.low",)))(
        prepare_home(tmp_path), LOCAL
    )
    assert secret is not None
    assert secret.startswith("whsec_")


def test_a_step_may_no_more_than_its_verb(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        writing.new_organisation("o", OrganisationEntry())(
            prepare_home(tmp_path), Actor("key:x", "owner", "default", None, None)
        )
