"""Where a URL leads, and the bytes of a request head. Law: nothing a caller passes can start another line."""

import re
from urllib.parse import urlsplit

import msgspec

from anykey.upstream.records import Call

_DEFAULT_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[\x21-\x7e]+").fullmatch
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110 §5.6.2
_BREAKS_LINE = re.compile(rb"[\r\n\0]").search
_OURS = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"accept-encoding"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Target(msgspec.Struct, frozen=True):
    """A parsed URL: whom to connect to, and what to ask for."""

    scheme: str
    host: str
    port: int
    authority: str
    """The Host header: host, and port unless it is the scheme's own."""
    path: str
    """Path and query."""

    @property
    def peer(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"


def parse_target(url: str) -> Target:
    """Read an absolute http(s) URL; ValueError (which does not repeat the URL) for anything else."""
    if not _VISIBLE(url):
        raise ValueError("a URL holds only visible ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL's host or port cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("an upstream URL begins with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("an upstream URL holds no credentials")
    default_port = _DEFAULT_PORTS[parts.scheme]
    bracketed = f"[{host}]" if ":" in host else host
    port = default_port if port is None else port
    authority = bracketed if port == default_port else f"{bracketed}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, authority, path)


def encode_head(call: Call, target: Target, *, absolute_form: bool = False, extra: bytes = b"") -> bytes:
    """The request line and headers, with the blank line."""
    return head_start(call, target, absolute_form=absolute_form, extra=extra) + head_end(call)


def head_end(call: Call) -> bytes:
    """What of a head depends on the body: its length, and the blank line."""
    if call.body or call.method in _WITH_BODY:
        return b"content-length: %d\r\n\r\n" % len(call.body)
    return b"\r\n"


def head_start(call: Call, target: Target, *, absolute_form: bool = False, extra: bytes = b"") -> bytes:
    """All of a head that is the same for every call with these headers.

    `absolute_form` writes the whole URL as the request target, as an HTTP proxy needs it; `extra` is whole header
    lines of our own. ValueError for a method, header name or value that is not one, and for a header that is ours.
    """
    method = call.method.encode()
    if not _TOKEN(method):
        raise ValueError("a method is one word")
    where = f"{target.scheme}://{target.authority}{target.path}" if absolute_form else target.path
    lines = [
        b"%b %b HTTP/1.1\r\nhost: %b\r\naccept-encoding: %b\r\n"
        % (
            method,
            where.encode(),
            target.authority.encode(),
            b"gzip, deflate, br, zstd" if call.decode else b"identity",
        ),
        extra,
    ]
    for name, value in call.headers:
        if not _TOKEN(name) or _BREAKS_LINE(value):
            raise ValueError("a header name is one word, and its value one line")
        if name.lower() in _OURS:
            raise ValueError(f"the header {name.decode().lower()} is set by the client")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)
