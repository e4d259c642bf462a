"""To whom a credential may be sent: to the origin it was given for, and nowhere else.

Law: two URLs have one origin when scheme, host and port are equal. A URL that two readers could read differently (user
info, blanks, backslashes) has none, and gets nothing.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!-\[\]-~]+\Z")
"""Visible ASCII without the backslash, which some readers take for a slash."""


class Origin(NamedTuple):
    """Where a URL leads. `host` is in lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The Host header: the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute http(s) URL; ValueError, which does not repeat it, where it has no clear one."""
    if not _PLAIN.match(url):
        raise ValueError("a URL holds only visible ASCII characters, and no backslash")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL's host or port cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("the URL does not begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("the URL holds a user name or password")
    return Origin(parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if port is None else port)


def may_send(credential_origin: Origin, url: str) -> bool:
    """Whether a credential that was given for `credential_origin` may go to `url`."""
    try:
        return origin_of(url) == credential_origin
    except ValueError:
        return False
