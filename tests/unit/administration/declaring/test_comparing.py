"""The difference between a database and a document."""

import pytest

from anykey.accounts.permissions import LOCAL
from anykey.administration.declaring.comparing import Change, compare
from anykey.administration.declaring.document import Document, document_text, read_document
from anykey.administration.declaring.reading import State, export_document, read_state
from anykey.administration.home import Home, prepare_home
from tests.unit.administration.declaring.documents import FULL, applied


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = prepare_home(tmp_path_factory.mktemp("home"))
    applied(made, FULL)
    return made


def changes(home: Home, document: Document, *, prune: bool = False) -> list[Change]:
    return [change for step in compare(read_state(home, LOCAL), document, prune=prune) for change in step.changes]


def edited(home: Home, before: str, after: str) -> Document:
    text = document_text(export_document(home))
    assert before in text
    return read_document(text.replace(before, after).encode(), "a.yaml")


def test_what_is_exported_differs_in_nothing(home: Home) -> None:
    assert changes(home, export_document(home), prune=True) == []
    assert changes(home, read_document(FULL.encode(), "a.yaml"), prune=True) == []


def test_a_field_is_told_with_both_values(home: Home) -> None:
    found = changes(home, edited(home, "requests_per_minute: 5", "requests_per_minute: 6"))
    assert found == [Change("~", "organisations.default.keys.ci", "requests_per_minute", 5, 6)]
    found = changes(home, edited(home, "attempts: 2", "attempts: 3"))
    assert [(change.sign, change.path) for change in found] == [("~", "configs.c")]
    assert changes(home, edited(home, "'10.00'", "'10'")) == []


def test_a_card_that_says_something_else_is_a_new_one(home: Home) -> None:
    other = edited(home, "per_call: '0.5'", "per_call: '0.6'")
    assert [(change.sign, change.path) for change in changes(home, other, prune=True)] == [
        ("+", "rate_cards.m2@p"),
        ("-", "rate_cards.m2@p/v1"),
    ]


def test_only_what_the_document_speaks_of_is_pruned(home: Home) -> None:
    assert changes(home, read_document(b"anykey: 1", "a"), prune=True) == []
    some = read_document(b"anykey: 1\norganisations: {default: {teams: {}, budgets: {1d: 10}}}\nwebhooks: []", "a")
    assert [(change.sign, change.path) for change in changes(home, some, prune=True)] == [
        ("-", "organisations.acme"),
        ("-", "organisations.default.teams.red"),
        ("-", "webhooks.https://example.com/x"),
        ("-", "webhooks.https://example.com/y"),
    ]
    assert changes(home, some) == []


def test_keys_end_before_members_and_these_before_teams(home: Home) -> None:
    none = read_document(
        b"anykey: 1\norganisations: {default: {teams: {}, members: {}, keys: {}, budgets: {1d: 10}}, acme: {}}", "a"
    )
    paths = [change.path for change in changes(home, none, prune=True) if change.sign == "-"]
    assert [path.split(".")[2] for path in paths] == ["keys", "keys", "members", "teams"]


def test_nothing_is_taken_for_nothing() -> None:
    empty = Document(anykey=1)
    assert compare(State(empty, {}, [], [], None), empty, prune=True) == []
