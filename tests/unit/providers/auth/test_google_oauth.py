"""Google's credential files: what is asked for a token, what is refused, and that no part of them is shown."""

import base64
import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from anykey.providers.auth import google_oauth
from anykey.providers.secret import Secret
from tests.unit.providers.auth.keys import authorized_user, pem_of, rsa_key, service_account

NOW_S = 1_790_000_000


def _form(body: bytes) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(body.decode(), strict_parsing=True).items()}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_service_account_asks_with_a_signed_assertion() -> None:
    request = google_oauth.grant(service_account(), NOW_S)
    assert request.url == "https://oauth2.googleapis.com/token"
    assert (b"content-type", b"application/x-www-form-urlencoded") in request.headers
    form = _form(request.body)
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, claims, signature = form["assertion"].split(".")
    rsa_key().public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    assert json.loads(_decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    assert json.loads(_decoded(claims)) == {
        "iss": "gateway@lab-1.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": NOW_S,
        "exp": NOW_S + 3600,
    }


def test_a_user_asks_with_the_refresh_token() -> None:
    request = google_oauth.grant(authorized_user(), NOW_S)
    assert request.url == "https://oauth2.googleapis.com/token"
    assert _form(request.body) == {
        "grant_type": "refresh_token",
        "client_id": "c-1.apps.googleusercontent.com",
        "client_secret": "GOCSPX-s3cret",
        "refresh_token": "1//r3fresh",
    }


def test_a_user_says_which_project_pays() -> None:
    assert google_oauth.headers(authorized_user()) == ((b"x-goog-user-project", b"lab-1"),)
    assert google_oauth.headers(service_account()) == ()


@pytest.mark.parametrize(
    "token_uri",
    [
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "https://oauth2.mtls.googleapis.com/token",
        "http://127.0.0.1:8080/token",
    ],
)
def test_addresses_that_are_asked(token_uri: str) -> None:
    credential = service_account(token_uri=token_uri)
    assert google_oauth.fault(credential.reveal()) is None
    assert google_oauth.grant(credential, NOW_S).url == token_uri


@pytest.mark.parametrize(
    "token_uri",
    [
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com:8443/token",
        "https://oauth2.googleapis.com.evil.test/token",
        "https://evilgoogleapis.com/token",
        "https://evil.test/oauth2.googleapis.com",
        "https://oauth2.googleapis.com@evil.test/",
        "https://metadata.google.internal/token",
        "http://localhost.evil.test/token",
        "http://10.0.0.1/token",
        "token",
    ],
)
@pytest.mark.parametrize("file", [service_account, authorized_user])
def test_no_other_address_is_asked(token_uri: str, file: Any) -> None:
    credential = file(token_uri=token_uri)
    assert google_oauth.fault(credential.reveal()) == "settings.bad_token_uri"
    with pytest.raises(ValueError, match="https address of Google") as caught:
        google_oauth.grant(credential, NOW_S)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("kind", ["external_account", "impersonated_service_account", "gdch_service_account"])
def test_files_that_ask_others_first_are_refused(kind: str) -> None:
    credential = Secret(json.dumps({"type": kind, "token_url": "https://sts.googleapis.com/v1/token"}))
    assert google_oauth.fault(credential.reveal()) == "settings.unsupported_google_credential"
    with pytest.raises(ValueError, match="neither a service_account nor an authorized_user"):
        google_oauth.grant(credential, NOW_S)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k-1",
        "[]",
        "{}",
        '{"type": 1}',
        "[" * 100_000,
        "\udc80",
        service_account(client_email=None).reveal(),
        service_account(client_email=7).reveal(),
        service_account(private_key="-----BEGIN PRIVATE KEY-----").reveal(),
        service_account(private_key=None).reveal(),
        authorized_user(refresh_token="").reveal(),
        authorized_user(quota_project_id="lab\r\nx-evil: 1").reveal(),
    ],
)
def test_what_is_no_usable_file(text: str) -> None:
    assert google_oauth.fault(text) == "settings.bad_google_credential"


def test_a_key_of_another_kind_is_found_before_the_first_call() -> None:
    pem = pem_of(ec.generate_private_key(ec.SECP256R1()))
    assert google_oauth.fault(service_account(private_key=pem).reveal()) == "settings.bad_google_credential"


def test_files_as_they_are_given_out_have_no_fault() -> None:
    assert google_oauth.fault(service_account().reveal()) is None
    assert google_oauth.fault(service_account(private_key_id=None).reveal()) is None
    assert google_oauth.fault(authorized_user(quota_project_id=None).reveal()) is None


def test_a_reply_with_a_token() -> None:
    granted = google_oauth.token(b'{"access_token":"ya29.t","expires_in":3599,"token_type":"Bearer"}')
    assert (granted.secret.reveal(), granted.lives_s) == ("ya29.t", 3599)
    assert google_oauth.token(b'{"access_token":"ya29.t"}').lives_s == 300


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"<html>",
        b'{"id_token":"ya29.t"}',
        b'{"access_token":""}',
        b'{"access_token":"ya29.\\r\\nx"}',
        b"\xff",
        b"[" * 9999,
    ],
)
def test_a_reply_without_one(reply: bytes) -> None:
    with pytest.raises(ValueError, match="access token") as caught:
        google_oauth.token(reply)
    assert "ya29" not in str(caught.value)


def test_nothing_is_shown() -> None:
    account = google_oauth._account(service_account().reveal())  # pyright: ignore[reportPrivateUsage] - tracebacks show it
    assert repr(account) == "_Account('service_account')"
    request = google_oauth.grant(authorized_user(), NOW_S)
    assert "r3fresh" not in repr(request) + repr(google_oauth.token(b'{"access_token":"r3fresh"}'))


def test_who_has_no_such_credential_does_not_import_cryptography() -> None:
    script = "import sys, anykey.providers.auth; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
