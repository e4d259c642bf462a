"""AWS Signature Version 4, as Bedrock checks it: each call is signed with the secret key, which itself is never sent.

The credential is `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, and `:SESSION_TOKEN` behind it for a temporary one. The rules are
those of "Create a signed AWS API request" in the IAM user guide. For every service but S3 the path is percent-encoded
once more than it is on the wire, after empty and dot segments are taken out.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from anykey.providers.auth import visible
from anykey.providers.auth.binding import origin_of
from anykey.providers.auth.scheme import HeaderPairs, Scheme, SignedCall
from anykey.providers.secret import Secret

_REGION = re.compile(
    r"(?:^|\.)[a-z0-9-]+\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$"
)
"""`<service>.<region>.amazonaws.com`, its dual-stack twin `.api.aws`, China's `.com.cn`, and private endpoints."""


class KeySet(NamedTuple):
    """The parts of one credential. `session_token` is empty for a lasting one."""

    access_key_id: str
    secret_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        return "KeySet(***)"


def headers(_credential: Secret) -> HeaderPairs:
    """Return no header: all of them depend on the call."""
    return ()


def fault(text: str) -> str | None:
    """Return the code of what is wrong with a credential: it is two or three texts with `:` between them."""
    parts = text.split(":")
    return visible.fault(text) or (None if len(parts) in {2, 3} and all(parts) else "settings.bad_aws_credential")


def sign(credential: Secret, call: SignedCall) -> HeaderPairs:
    """Return `authorization` and `x-amz-date`, and `x-amz-security-token` for a temporary credential.

    Host, `content-type` and all `x-amz-*` headers of the call are signed; what a proxy may change is not. ValueError
    where no region is given and the host names none.
    """
    keys = KeySet(*credential.reveal().split(":"))
    region = call.region or region_of(call.url)
    stamp = datetime.fromtimestamp(call.at_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    added: HeaderPairs = ((b"x-amz-date", stamp.encode()),)
    if keys.session_token:
        added += ((b"x-amz-security-token", keys.session_token.encode("ascii")),)
    signed = _signed_headers(call, added)
    names = ";".join(signed)
    scope = f"{stamp[:8]}/{region}/{call.service}/aws4_request"
    canonical = hashlib.sha256(_canonical_request(call, signed).encode("utf-8")).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}"
    signature = _hmac(_signing_key(keys.secret_key, scope), to_sign).hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return ((b"authorization", authorization.encode("ascii")), *added)


def region_of(url: str) -> str:
    """Return the region that an AWS host names; ValueError, which names the host, where it names none."""
    host = origin_of(url).host
    found = _REGION.search(host)
    if found is None:
        raise ValueError(f"{host} names no AWS region, so it must be configured")
    return found[1]


def _canonical_request(call: SignedCall, signed: dict[str, str]) -> str:
    parts = urlsplit(call.url)
    pairs = sorted(tuple(pair.partition("=")[::2]) for pair in parts.query.split("&")) if parts.query else []
    return "\n".join(
        [
            call.method.upper(),
            quote(_tidy(parts.path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{value}" for name, value in signed.items()),
            "",
            ";".join(signed),
            hashlib.sha256(call.body).hexdigest(),
        ]
    )


def _tidy(path: str) -> str:
    """Return the path without empty, `.` and `..` segments; a slash at its end stays."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def _signed_headers(call: SignedCall, added: HeaderPairs) -> dict[str, str]:
    """Return the headers to sign by name, in order; values of one name joined, runs of blanks made one."""
    replaced = {name for name, _ in added}
    found: dict[str, str] = {"host": origin_of(call.url).authority}
    for name, value in (*(pair for pair in call.headers if pair[0] not in replaced), *added):
        if name == b"content-type" or name.startswith(b"x-amz-"):
            text = " ".join(value.decode("utf-8").split())
            key = name.decode("ascii")
            found[key] = f"{found[key]},{text}" if key in found else text
    return dict(sorted(found.items()))


def _signing_key(secret_key: str, scope: str) -> bytes:
    key = b"AWS4" + secret_key.encode("ascii")
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()


SCHEME = Scheme(headers, fault, sign=sign)
