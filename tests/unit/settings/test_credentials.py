"""Where a credential may come from, what is refused, and that it is never shown."""

from pathlib import Path

import pytest

from anykey.settings import SettingsError
from anykey.settings.credentials import fault_of, from_environment
from tests.unit.settings.reading import problems, read

LAB = '[providers.lab]\nkind = "custom"\nprotocol = "openai_chat"\nbase_url = "http://127.0.0.1:1/v1"\n'


def _credential(folder: Path, value: str, environ: dict[str, str] | None = None) -> str | None:
    credential = read(folder, f"{LAB}api_key = {value}\n", environ).providers[0].credential
    return credential.reveal() if credential else None


def test_from_the_environment(tmp_path: Path) -> None:
    assert _credential(tmp_path, '{ env = "LAB_KEY" }', {"LAB_KEY": " k-1\n"}) == "k-1"


def test_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "lab.key").write_text("k-2\n")
    assert _credential(tmp_path, '{ file = "lab.key" }') == "k-2"


def test_a_literal_is_taken_with_a_warning_that_does_not_show_it(tmp_path: Path) -> None:
    settings = read(tmp_path, f'{LAB}api_key = "k-literal"\n')
    assert [(w.line, w.key, w.code) for w in settings.warnings] == [
        (5, "providers.lab.api_key", "settings.literal_credential")
    ]
    assert "k-literal" not in str(settings.warnings[0]) + repr(settings)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('{ env = "ABSENT" }', "empty_credential"),
        ('{ env = "PLACEHOLDER" }', "placeholder_credential"),
        ('"sk-1234"', "placeholder_credential"),
        ('"<your key>"', "placeholder_credential"),
        ('"two words"', "bad_credential"),
        ('"schlüssel"', "bad_credential"),
        ('"line\\nbreak"', "bad_credential"),
        ('{ file = "absent.key" }', "unreadable"),
        ('{ env = "A", file = "b" }', "wrong_type"),
        ('{ environment = "A" }', "wrong_type"),
        ("{ env = 1 }", "wrong_type"),
        ("{}", "wrong_type"),
    ],
)
def test_refused(tmp_path: Path, value: str, code: str) -> None:
    assert problems(tmp_path, f"{LAB}api_key = {value}\n", {"PLACEHOLDER": "changeme"}) == [
        (5, "providers.lab.api_key", code)
    ]


def test_a_refused_credential_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f'{LAB}api_key = {{ env = "BROKEN" }}\n', {"BROKEN": "sk-real with-blank"})
    assert "BROKEN" in str(caught.value)
    assert "sk-real" not in str(caught.value)


def test_a_missing_credential_says_which_variables_would_do(tmp_path: Path) -> None:
    text = "[providers.byteplus_coding]\n"
    assert problems(tmp_path, text) == [(1, "providers.byteplus_coding.api_key", "no_credential")]
    with pytest.raises(SettingsError, match="BYTEPLUS_API_KEY or ARK_API_KEY"):
        read(tmp_path, text)


def test_the_first_variable_that_is_set(tmp_path: Path) -> None:
    found = from_environment(("A", "B", "C"), {"A": " ", "B": "b", "C": "c"})
    assert found is not None
    assert (found.secret.reveal(), found.variable) == ("b", "B")
    assert from_environment(("A",), {}) is None


@pytest.mark.parametrize("text", ["sk-proj-abc", "ark-3f2a", "a", "eyJ.x.y=="])
def test_real_looking_credentials_have_no_fault(text: str) -> None:
    assert fault_of(text) is None
