"""Google Cloud's way, for Vertex AI: a credential file is exchanged for an access token, which is sent as a bearer.

The credential is the JSON text that Google gives out: a `service_account` (RFC 7523: an assertion signed with its
private key) or an `authorized_user`, what `gcloud auth application-default login` writes (RFC 6749 §6: a refresh
token). Kinds that ask other servers first (`external_account` …) are refused: they name the address to be asked
themselves. For the same reason a token is asked for at Google only.
"""

import base64
import json
import re
from urllib.parse import urlencode

import msgspec

from anykey.providers.auth import visible
from anykey.providers.auth.binding import Origin, origin_of
from anykey.providers.auth.scheme import AccessToken, HeaderPairs, Scheme, TokenRequest
from anykey.providers.secret import Secret

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ASSERTION_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIVES_S = 3600  # the longest that Google takes
_TOKEN_LIVES_S = 300  # RFC 6749 §5.1 lets a server leave it out; Google does not
_FORM: HeaderPairs = ((b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json"))
_PROJECT = re.compile(r"[a-z0-9:.-]+\Z")


class _Account(msgspec.Struct, frozen=True):
    """What we read of a credential file."""

    type: str = ""
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    token_uri: str = TOKEN_URL
    quota_project_id: str | None = None

    def __repr__(self) -> str:
        return f"_Account({self.type!r})"


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int = _TOKEN_LIVES_S

    def __repr__(self) -> str:
        return f"_Granted({self.expires_in} s)"


def headers(credential: Secret) -> HeaderPairs:
    """Return the project that pays for the calls of a user's credential, if the file names one."""
    project = _account(credential.reveal()).quota_project_id
    return ((b"x-goog-user-project", project.encode("ascii")),) if project else ()


def fault(text: str) -> str | None:
    """Return the code of what is wrong with a credential file, or None. Its private key is checked too."""
    try:
        account = _account(text)
    except ValueError:
        return "settings.bad_google_credential"
    needed = _NEEDED.get(account.type)
    if needed is None:
        return "settings.unsupported_google_credential" if account.type else "settings.bad_google_credential"
    if not all(getattr(account, name) for name in needed) or not _PROJECT.match(account.quota_project_id or "-"):
        return "settings.bad_google_credential"
    if not _is_googles(account.token_uri):
        return "settings.bad_token_uri"
    return None if account.type == "authorized_user" or _has_rsa_key(account) else "settings.bad_google_credential"


def grant(credential: Secret, at_s: int) -> TokenRequest:
    """Return the request for an access token; ValueError for a credential that has a fault."""
    account = _account(credential.reveal())
    if not _is_googles(account.token_uri):
        raise ValueError("the credential's token_uri is not an https address of Google's")
    if account.type == "service_account":
        form = {"grant_type": _ASSERTION_GRANT, "assertion": _assertion(account, at_s)}
    elif account.type == "authorized_user":
        form = {
            "grant_type": "refresh_token",
            "client_id": account.client_id,
            "client_secret": account.client_secret,
            "refresh_token": account.refresh_token,
        }
    else:
        raise ValueError("the credential is neither a service_account nor an authorized_user")
    return TokenRequest(account.token_uri, _FORM, urlencode(form).encode("ascii"))


def token(reply: bytes) -> AccessToken:
    """Read the reply; ValueError, which repeats nothing of it, where it holds no usable token."""
    try:
        granted = msgspec.json.decode(reply, type=_Granted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the reply holds no access token") from None
    if not granted.access_token or visible.fault(granted.access_token):
        raise ValueError("the reply's access token fits into no header")
    return AccessToken(Secret(granted.access_token), granted.expires_in)


_NEEDED = {
    "service_account": ("client_email", "private_key", "token_uri"),
    "authorized_user": ("client_id", "client_secret", "refresh_token", "token_uri"),
}
"""The kinds of file that are understood, and what each cannot do without."""


def _account(text: str) -> _Account:
    try:
        return msgspec.json.decode(text, type=_Account)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ValueError("the credential is not a JSON file of Google's") from None


def _is_googles(url: str) -> bool:
    """Whether a token may be asked for there. Loopback may be plain: what listens there is this machine's own."""
    try:
        origin = origin_of(url)
    except ValueError:
        return False
    if origin.host in {"127.0.0.1", "::1"}:
        return True
    named = origin.host == "accounts.google.com" or origin.host.endswith(".googleapis.com")
    return named and origin == Origin("https", origin.host, 443)


def _assertion(account: _Account, at_s: int) -> str:
    """Return the signed JWT that asks for the token (RFC 7523), good for an hour."""
    header = {"alg": "RS256", "typ": "JWT"} | ({"kid": account.private_key_id} if account.private_key_id else {})
    claims = {
        "iss": account.client_email,
        "scope": _SCOPE,
        "aud": TOKEN_URL,  # whatever the address asked: Google wants this one
        "iat": at_s,
        "exp": at_s + _ASSERTION_LIVES_S,
    }
    signed = b".".join(_base64url(json.dumps(part).encode("utf-8")) for part in (header, claims))
    return (signed + b"." + _base64url(_signature(account, signed))).decode("ascii")


def _has_rsa_key(account: _Account) -> bool:
    from anykey.providers.auth import rs256  # noqa: PLC0415 - see there

    return rs256.is_rsa_key(account.private_key)


def _signature(account: _Account, data: bytes) -> bytes:
    from anykey.providers.auth import rs256  # noqa: PLC0415 - see there

    return rs256.sign(account.private_key, data)


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


SCHEME = Scheme(headers, fault, grant=grant, token=token)
