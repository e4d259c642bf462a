"""The catalogues agree with each other and with the code that speaks."""

import re
import string
from pathlib import Path

import pytest

import anykey
from anykey.language import SpokenError, language, say
from anykey.language.say import LANGUAGES, catalogue

SOURCES = Path(anykey.__file__).parent


def placeholders(pattern: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}


def test_every_language_has_the_same_codes_with_the_same_placeholders() -> None:
    english = catalogue("en")
    assert english
    for name in LANGUAGES:
        other = catalogue(name)
        assert set(other) == set(english)
        assert {code: placeholders(other[code]) for code in other} == {
            code: placeholders(english[code]) for code in english
        }


def test_chinese_is_not_a_copy_of_english() -> None:
    chinese = catalogue("zh-CN")
    assert re.search("[\N{CJK UNIFIED IDEOGRAPH-4E00}-\N{CJK UNIFIED IDEOGRAPH-9FFF}]", chinese["cli.summary"])


def test_every_code_the_source_says_is_in_the_catalogue() -> None:
    spoken = re.compile(r"""\b(?:say|[A-Z]\w*Error)\(\s*"([a-z_]+(?:\.[a-z_]+)+)\"""")
    said = {code for file in SOURCES.rglob("*.py") for code in spoken.findall(file.read_text(encoding="utf-8"))}
    assert "keys.name_taken" in said
    assert said - set(catalogue("en")) == set()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh-CN"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh-CN"),
        ({"LC_ALL": "zh_CN.UTF-8", "ANYKEY_LANG": "en"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "ANYKEY_LANG": "zh-CN"}, "zh-CN"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


def test_a_message_is_filled_in_the_language_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "en")
    assert say("cli.error", message="a {b} c") == "Error: a {b} c"
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")
    assert say("cli.error", message="x") == "错误\N{FULLWIDTH COLON}x"


def test_an_unknown_code_is_shown_with_its_values() -> None:
    assert say("no.such", path="/x", line=3) == "no.such path=/x line=3"


def test_an_error_speaks_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "en")
    error = SpokenError("keys.name_taken", name="ci")
    assert str(error) == "There is already a key named ci. Choose another name, or revoke that key first."
