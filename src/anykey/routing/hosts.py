"""Which hosts a caller may name: those of the public internet, by https.

A gateway stands inside a network, and whoever may name any URL to it reads that network with its hands (SSRF). The name is
looked at here, before anything is sent; what it resolves to is looked at again where it is dialled (`upstream/dialing.py`), for
a name may resolve to anything, and to something else a second later. A server of the operator's own network is configured as
a provider, or named by a stored config.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

_LONGEST_URL = 2048
# Prefixes that carry an IPv4 address inside: NAT64 (RFC 6052, 8215) and 6to4 (RFC 3056).
_WRAPPING = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))
_LOOPBACK_NAME = "localhost"


def check_host(url: str) -> str | None:
    """What is wrong with a base URL that an operator wrote into a config; None: nothing. http is for this machine only."""
    split = _split(url)
    if isinstance(split, str):
        return split
    scheme, host = split
    if scheme == "https" or (scheme == "http" and is_loopback(host)):
        return None
    return "it must begin with https:// (http:// only for this machine)"


def check_public_host(url: str) -> str | None:
    """What is wrong with a base URL that a caller named; None: nothing."""
    split = _split(url)
    if isinstance(split, str):
        return split
    scheme, host = split
    if scheme != "https":
        return "it must begin with https://"
    if is_loopback(host) or not _may_be_public(host):
        return "it must be a host of the public internet; configure a host of your own network as a provider"
    return None


def is_loopback(host: str) -> bool:
    """This machine, by name or address."""
    if host == _LOOPBACK_NAME or host.endswith("." + _LOOPBACK_NAME):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public_address(address: str) -> bool:
    """An IP address of the public internet: not private, link-local, loopback, unspecified, multicast or reserved, nor IPv6
    that stands for such an IPv4 address. ValueError: it is no address."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public_address(str(found.ipv4_mapped))
        if found.teredo is not None or found.is_site_local or any(found in network for network in _WRAPPING):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _split(url: str) -> tuple[str, str] | str:
    """(scheme, host), or what is wrong with the URL whoever wrote it."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "it is not a URL"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "it is not a URL"
    if not host:
        return "it must be a URL such as https://api.example.com/v1"
    if "@" in parts.netloc or "?" in url or "#" in url:
        return "it must hold no user name, no query and no fragment"
    return parts.scheme, host.rstrip(".")


def _may_be_public(host: str) -> bool:
    """An address is judged; a name is judged when it is dialled, but one without a dot is of this network. A last label of digits
    is an address in a spelling that only some resolvers read (127.1, 0x7f.1)."""
    try:
        return is_public_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return "." in host and not last[:1].isdigit() and last not in {"local", "internal", "localdomain"}
