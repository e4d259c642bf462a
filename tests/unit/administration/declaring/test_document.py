"""What is written down is read as the same, and what cannot be meant is refused by its name."""

import msgspec
import pytest
from hypothesis import given, settings

from anykey.administration.declaring.document import (
    LARGEST_DOCUMENT,
    Document,
    document_text,
    moment_text,
    nano,
    read_document,
)
from anykey.administration.errors import AdministrationError
from tests.unit.administration.declaring.documents import FULL, documents


@given(documents())
@settings(max_examples=40, deadline=None)
def test_both_forms_come_back(document: Document) -> None:
    assert read_document(document_text(document).encode(), "a.yaml") == document
    assert read_document(document_text(document, "a.json").encode(), "a.json") == document


def test_values_are_as_they_are_kept() -> None:
    document = read_document(FULL.encode(), "full.yaml")
    assert document.organisations is not None
    default = document.organisations["default"]
    assert default.budgets == {"1d": "10.00"}
    assert default.keys is not None
    assert (default.keys["ci"].expires_at, default.keys["ci"].ip_allow) == ("2027-01-01T00:00:00Z", ("10.0.0.1/32",))
    assert document.organisations["acme"].teams is None


def test_toml_is_read_too() -> None:
    text = "anykey = 1\n[organisations.default.keys.ci]\nexpires_at = 2027-01-01T00:00:00Z\n"
    document = read_document(text.encode(), "a.toml")
    assert document.organisations is not None
    keys = document.organisations["default"].keys
    assert keys is not None
    assert keys["ci"].expires_at == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("anykey: 2", "declaring.version", "2"),
        ("organisations: {}", "declaring.wrong", "anykey"),
        ("anykey: 1\nkeyz: 1", "declaring.wrong", "keyz"),
        ("anykey: 1\norganisations: {a: {keys: {b: {quota: 1}}}}", "declaring.wrong", "a.keys.b: Object contains"),
        ("anykey: 1\norganisations: {a: {budgets: {1h: 1}}}", "declaring.wrong", "organisations.a.budgets"),
        ("anykey: 1\norganisations: {a: {budgets: {1d: 0.1}}}", "declaring.wrong", "float"),
        ("anykey: 1\norganisations: {a: {budgets: {1d: '-1'}}}", "declaring.wrong", "organisations.a.budgets.1d"),
        ("anykey: 1\norganisations: {a: {keys: {b: {ip_allow: [x]}}}}", "declaring.wrong", "organisations.a.keys.b.ip_allow"),
        ("anykey: 1\norganisations: {a: {keys: {b: {expires_at: soon}}}}", "declaring.wrong", "expires_at"),
        ("anykey: 1\nrate_cards: [{model: m, inputs: '1'}]", "declaring.wrong", "inputs"),
        ("anykey: 1\nrate_cards: [{model: m, input: 'x'}]", "declaring.wrong", "input"),
        ("anykey: 1\ncredentials: [{provider: p}]", "declaring.wrong", "credentials[0]"),
        ("anykey: 1\ncredentials: [{provider: p, api_key: sk-1}]", "declaring.wrong", "api_key"),
        ("a: [", "declaring.unreadable", "line 1"),
        ("- 1", "declaring.unreadable", "no table"),
        ("\x00", "declaring.unreadable", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(text: str, code: str, words: str) -> None:
    with pytest.raises(AdministrationError) as raised:
        read_document(text.encode(), "a.yaml")
    assert raised.value.code == code
    assert words in str(raised.value.values)


def test_a_document_has_an_end() -> None:
    with pytest.raises(AdministrationError) as raised:
        read_document(b" " * (LARGEST_DOCUMENT + 1), "a.yaml")
    assert raised.value.code == "declaring.too_large"


def test_amounts_and_moments() -> None:
    assert (nano("1.5"), nano(2)) == (1_500_000_000, 2_000_000_000)
    assert (moment_text(0), moment_text(None), moment_text(1_800_000_000)) == ("", "", "2027-01-15T08:00:00Z")
    assert msgspec.to_builtins(Document(anykey=1)) == {"anykey": 1}
