"""Which proxy a call goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as command-line programs read them.

Loopback never goes through a proxy: a model server on this machine is not reachable from another one.
"""

import base64
import ipaddress
from collections.abc import Mapping
from typing import Self
from urllib.parse import unquote, urlsplit

import msgspec


class Proxy(msgspec.Struct, frozen=True):
    """One HTTP proxy, spoken to without TLS. `authorization` is the value of its proxy-authorization, or empty."""

    host: str
    port: int
    authorization: bytes = b""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `http://user:password@host:port` (the scheme may be left out); ValueError without repeating it."""
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("the proxy's host or port cannot be read") from None
        if parts.scheme != "http" or not host:
            raise ValueError("only proxies of the form http://host:port are spoken to")
        authorization = b""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = b"Basic " + base64.b64encode(pair.encode())
        return cls(host, 80 if port is None else port, authorization)

    @property
    def peer(self) -> str:
        """`proxy host:port`, for messages."""
        return f"proxy {self.host}:{self.port}"

    @property
    def header(self) -> bytes:
        """The proxy-authorization line, or nothing."""
        return b"proxy-authorization: %b\r\n" % self.authorization if self.authorization else b""

    def __repr__(self) -> str:
        """Without the credential."""
        return f"Proxy({self.host}:{self.port})"


class ProxySettings(msgspec.Struct, frozen=True):
    """A proxy for each scheme, and the hosts reached without one: `example.com` (and all below it), `.example.com`,
    `host:port`, an address, a network as `10.0.0.0/8`, or `*`."""

    http: Proxy | None = None
    https: Proxy | None = None
    direct: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the three variables, the lower-case name first. ValueError names the variable, not its value."""

        def proxy(name: str) -> Proxy | None:
            url = environment.get(name.lower()) or environment.get(name) or ""
            try:
                return Proxy.from_url(url) if url else None
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

        direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        return cls(proxy("HTTP_PROXY"), proxy("HTTPS_PROXY"), tuple(direct.lower().replace(",", " ").split()))

    def choose(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for this host (as in a parsed URL: lower-case, without brackets), or None to go straight."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or _is_loopback(host):
            return None
        return None if any(_covers(rule, host, port) for rule in self.direct) else proxy


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _covers(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    try:
        network = ipaddress.ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        name, _, rule_port = rule.partition(":")
        if rule_port and rule_port != str(port):
            return False
        name = name.removeprefix("*").removeprefix(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    address = _address(host)
    return address is not None and address in network
