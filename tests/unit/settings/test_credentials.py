"""Where a credential may come from, what is refused, and that it is never shown."""

from pathlib import Path

import msgspec
import pytest

from anykey.providers.load import catalogue
from anykey.providers.records import ProviderKind
from anykey.settings import SettingsError
from anykey.settings.credentials import fault_of, from_environment, variables_named
from tests.unit.providers.auth.keys import authorized_user, service_account
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
        ("[]", "wrong_type"),
        ("1", "wrong_type"),
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


def test_several_with_labels_and_weights(tmp_path: Path) -> None:
    (tmp_path / "c.key").write_text("k-3\n")
    value = """[
  { env = "A" },
  { env = "B", weight = 2, label = "b" },
  { file = "c.key" },
]"""
    (provider,) = read(tmp_path, f"{LAB}api_key = {value}\n", {"A": "k-1", "B": "k-2"}).providers
    held = [(one.id, one.secret.reveal(), one.weight, one.auth) for one in provider.credentials]
    assert held == [("lab#default", "k-1", 1, ""), ("lab#b", "k-2", 2, ""), ("lab#3", "k-3", 1, "")]
    assert (provider.credential, provider.origin) == (provider.credentials[0].secret, "A")
    assert "k-1" not in repr(provider.credentials)


def test_one_is_the_default(tmp_path: Path) -> None:
    (provider,) = read(tmp_path, f'{LAB}api_key = {{ env = "A" }}\n', {"A": "k-1"}).providers
    assert [(one.id, one.weight) for one in provider.credentials] == [("lab#default", 1)]
    (provider,) = read(tmp_path, "[providers.openai]\n", {"OPENAI_API_KEY": "k-1"}).providers
    assert [(one.id, one.secret.reveal()) for one in provider.credentials] == [("openai#default", "k-1")]


@pytest.mark.parametrize(
    ("entry", "key", "code"),
    [
        ('"k-1"', ".2", "wrong_type"),
        ('{ env = "A", file = "b" }', ".2", "wrong_type"),
        ('{ label = "b" }', ".2", "wrong_type"),
        ("{ env = 1 }", ".2.env", "wrong_type"),
        ('{ env = "A", wieght = 2 }', ".2.wieght", "unknown_key"),
        ('{ env = "A", weight = 0 }', ".2.weight", "out_of_range"),
        ('{ env = "A", weight = true }', ".2.weight", "wrong_type"),
        ('{ env = "A", label = "a b" }', ".2.label", "bad_label"),
        ('{ env = "A", label = "default" }', ".2.label", "bad_label"),
        ('{ env = "ABSENT" }', ".2", "empty_credential"),
        ('{ file = "absent.key" }', ".2", "unreadable"),
    ],
)
def test_one_of_several_is_refused(tmp_path: Path, entry: str, key: str, code: str) -> None:
    found = problems(tmp_path, f'{LAB}api_key = [{{ env = "A" }}, {entry}]\n', {"A": "k-1"})
    assert (5, f"providers.lab.api_key{key}", code) in found


def test_a_variable_of_several_is_not_used_again(tmp_path: Path) -> None:
    """A second key of a coding plan must not open the general lane, which bills by use."""
    text = '[providers.byteplus_coding]\napi_key = [{ env = "PLAN" }, { env = "BYTEPLUS_API_KEY" }]\n'
    settings = read(tmp_path, text, {"PLAN": "k-1", "BYTEPLUS_API_KEY": "k-2"})
    assert [provider.name for provider in settings.providers] == ["byteplus_coding"]


def test_the_variables_a_value_names() -> None:
    assert variables_named([{"env": "A"}, {"file": "b"}, {"env": "C", "weight": 2}, {"env": 1}, "k"]) == ("A", "C")
    assert variables_named({"env": "A"}) == ("A",)
    assert variables_named("A") == ()


def test_credentials_of_several_schemes_keep_their_own(tmp_path: Path) -> None:
    text = '[providers.anthropic]\napi_key = [{ env = "ANTHROPIC_API_KEY" }, { env = "ANTHROPIC_AUTH_TOKEN" }]\n'
    (provider,) = read(tmp_path, text, {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t"}).providers
    assert (provider.auth, [one.auth for one in provider.credentials]) == ("", ["", "bearer"])


AWS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"}


def _kind(auth: str, **credential_auth: str) -> ProviderKind:
    return msgspec.structs.replace(catalogue()["openai"], auth=auth, credential_auth=credential_auth)


@pytest.mark.parametrize(
    ("environ", "secret"),
    [
        (AWS, "AKID:s3cret"),
        ({**AWS, "AWS_SESSION_TOKEN": "t=="}, "AKID:s3cret:t=="),
        ({"AWS_BEARER_TOKEN_BEDROCK": "b-1", **AWS}, "b-1"),
    ],
)
def test_a_set_of_aws_variables(environ: dict[str, str], secret: str) -> None:
    kind = _kind("bearer", AWS_ACCESS_KEY_ID="aws_sigv4")
    found = from_environment(("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"), environ, kind)
    assert found is not None
    assert (found.secret.reveal(), found.fault) == (secret, None)
    assert found.auth == ("" if secret == "b-1" else "aws_sigv4")


def test_a_set_of_aws_variables_that_is_not_whole() -> None:
    kind = _kind("bearer", AWS_ACCESS_KEY_ID="aws_sigv4")
    found = from_environment(("AWS_ACCESS_KEY_ID",), {"AWS_ACCESS_KEY_ID": "AKID"}, kind)
    assert found is not None
    assert found.fault == "settings.bad_aws_credential"


def test_other_sets_and_joined_texts_by_the_chosen_scheme(tmp_path: Path) -> None:
    text = f'{LAB}auth = "aws_sigv4"\napi_key = [{{ env = "TEAM_ACCESS_KEY_ID" }}, {{ env = "JOINED" }}]\n'
    environ = {"TEAM_ACCESS_KEY_ID": "AKID", "TEAM_SECRET_ACCESS_KEY": "s", "JOINED": "a:b:c"}
    (provider,) = read(tmp_path, text, environ).providers
    assert [one.secret.reveal() for one in provider.credentials] == ["AKID:s", "a:b:c"]
    assert problems(tmp_path, text, {**environ, "JOINED": "k-1"}) == [
        (6, "providers.lab.api_key.2", "bad_aws_credential")
    ]


def test_google_json_from_a_variable_its_file_or_a_file(tmp_path: Path) -> None:
    account = service_account().reveal()
    (tmp_path / "account.json").write_text(account + "\n")
    text = f"""{LAB}auth = "google_oauth"
api_key = [{{ env = "GOOGLE_APPLICATION_CREDENTIALS" }}, {{ env = "ACCOUNT_JSON" }}, {{ file = "account.json" }}]
"""
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "account.json"), "ACCOUNT_JSON": account}
    (provider,) = read(tmp_path, text, environ).providers
    assert [one.secret.reveal() for one in provider.credentials] == [account] * 3


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ("absent.json", "unreadable_credential"),
        ('{"type": "external_account"}', "unsupported_google_credential"),
        ('{"type": "service_account"}', "bad_google_credential"),
        (authorized_user(token_uri="https://evil.test/token").reveal(), "bad_token_uri"),
    ],
)
def test_google_credentials_that_are_refused(tmp_path: Path, held: str, code: str) -> None:
    text = f'{LAB}auth = "google_oauth"\napi_key = {{ env = "G" }}\n'
    assert problems(tmp_path, text, {"G": held}) == [(6, "providers.lab.api_key", code)]
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text, {"G": held})
    assert "r3fresh" not in str(caught.value)


def test_an_unknown_scheme_is_said_once(tmp_path: Path) -> None:
    text = f'{LAB}auth = "basic"\napi_key = {{ env = "A" }}\n'
    assert problems(tmp_path, text, {"A": "k-1"}) == [(5, "providers.lab.auth", "unknown_value")]


@pytest.mark.parametrize(("text", "scheme", "fault"), [
    ("two words", "none", None),
    ("two words", "x_api_key", "settings.bad_credential"),
    ("changeme", "aws_sigv4", "settings.placeholder_credential"),
    ("", "google_oauth", "settings.empty_credential"),
])  # fmt: skip
def test_faults_by_scheme(text: str, scheme: str, fault: str | None) -> None:
    assert fault_of(text, scheme) == fault


def test_a_variable_found_by_itself_that_is_no_credential_is_passed_over(tmp_path: Path) -> None:
    settings = read(tmp_path, "", {"OPENAI_API_KEY": "sk-real with-blank", "XAI_API_KEY": "k-1"})
    assert [provider.name for provider in settings.providers] == ["xai"]
    assert [(warning.key, warning.code) for warning in settings.warnings] == [
        ("OPENAI_API_KEY", "settings.bad_credential")
    ]
    assert "sk-real" not in str(settings.warnings[0])
