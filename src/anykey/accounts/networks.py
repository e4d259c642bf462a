"""From where a key may be used: lists of networks (CIDR) to allow and to deny, and whose word counts for where a call comes from.

Law: deny wins over allow, and an address that nobody knows is in no list of what is allowed. The address is the connection's own.
Only a proxy that the operator named is believed about who stands before it: ``X-Forwarded-For`` is read from its right end, where
our nearest proxy wrote, until an address that is no such proxy; all before it was written by strangers. An IPv4 address inside an
IPv6 one (``::ffff:192.0.2.1``) is that IPv4 address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Sequence[tuple[bytes, bytes]]

FORWARDED_FOR = b"x-forwarded-for"
MOST_HOPS = 32


def network_of(text: str) -> Network:
    """The network that ``text`` names: ``192.0.2.0/24``, or one address. ValueError: it names none, or has bits right of its
    mask."""
    network = ip_network(text.strip())
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= 96:
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


@lru_cache(maxsize=4096)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of a list. ValueError as ``network_of``."""
    return tuple(map(network_of, texts))


def address_of(text: str) -> Address | None:
    """The address in ``text``, with or without a port or a zone; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether the address is in one of them."""
    return any(address.version == network.version and address in network for network in networks)


def caller_of(peer: str | None, headers: Headers, trusted: tuple[Network, ...]) -> Address | None:
    """Who calls, where the connection is ``peer``'s and these proxies are ``trusted``; None: nobody can say.

    A chain of trusted proxies only is a call of the farthest of them.
    """
    address = address_of(peer) if peer else None
    if address is None or not trusted or not contains(trusted, address):
        return address
    said = b",".join(value for name, value in headers if name == FORWARDED_FOR)
    if not said.strip():
        return address
    for hop in reversed(said.split(b",")[-MOST_HOPS:]):
        found = address_of(hop.decode("latin-1"))
        if found is None:
            return None
        address = found
        if not contains(trusted, found):
            break
    return address


def may_call_from(address: Address | None, allow: tuple[str, ...] | None, deny: tuple[str, ...] | None) -> bool:
    """Whether a key with these lists may be used from there. None: no such list."""
    if address is None:
        return not allow and not deny
    if deny and contains(networks_of(deny), address):
        return False
    return not allow or contains(networks_of(allow), address)
