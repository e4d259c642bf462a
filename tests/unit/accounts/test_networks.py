"""Which address a call comes from, and which lists let it in."""

import pytest

from anykey.accounts.networks import address_of, caller_of, may_call_from, network_of, networks_of

PROXIES = networks_of(("10.0.0.0/8", "2001:db8:1::/48"))


def test_deny_wins_over_allow() -> None:
    inside = address_of("192.0.2.7")
    assert may_call_from(inside, ("192.0.2.0/24",), None)
    assert not may_call_from(inside, ("192.0.2.0/24",), ("192.0.2.7",))
    assert not may_call_from(inside, ("198.51.100.0/24",), None)
    assert may_call_from(inside, None, ("198.51.100.0/24",))
    assert may_call_from(inside, None, None)


def test_an_address_that_nobody_knows_is_in_no_allowed_network_and_not_outside_a_denied_one() -> None:
    assert may_call_from(None, None, None)
    assert not may_call_from(None, ("0.0.0.0/0", "::/0"), None)
    assert not may_call_from(None, None, ("192.0.2.0/24",))


def test_an_ipv4_address_written_in_ipv6_is_itself() -> None:
    mapped = address_of("::ffff:192.0.2.7")
    assert str(mapped) == "192.0.2.7"
    assert may_call_from(mapped, ("192.0.2.0/24",), None)
    assert may_call_from(address_of("192.0.2.7"), ("::ffff:192.0.2.0/120",), None)
    assert not may_call_from(mapped, ("::/0",), None)


@pytest.mark.parametrize("text", ["192.0.2.1/24", "nonsense", "", "300.0.0.1", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        network_of(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "None"),
        ("", "None"),
    ],
)
def test_addresses_as_proxies_write_them(text: str, address: str) -> None:
    assert str(address_of(text)) == address


def test_a_stranger_is_not_believed_about_himself() -> None:
    forged = [(b"x-forwarded-for", b"192.0.2.7")]
    assert str(caller_of("203.0.113.9", forged, PROXIES)) == "203.0.113.9"
    assert str(caller_of("10.1.1.1", forged, ())) == "10.1.1.1"


def test_the_first_hop_from_the_right_that_is_no_proxy_of_ours_is_the_caller() -> None:
    said = [(b"x-forwarded-for", b"192.0.2.7, 203.0.113.9, 10.2.2.2")]
    assert str(caller_of("10.1.1.1", said, PROXIES)) == "203.0.113.9"
    two = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-for", b"203.0.113.9")]
    assert str(caller_of("::ffff:10.1.1.1", two, PROXIES)) == "203.0.113.9"
    ours = [(b"x-forwarded-for", b"10.3.3.3, 10.2.2.2")]
    assert str(caller_of("10.1.1.1", ours, PROXIES)) == "10.3.3.3"


def test_what_a_proxy_says_that_is_no_address_is_nobody() -> None:
    assert caller_of("10.1.1.1", [(b"x-forwarded-for", b"192.0.2.7, unknown")], PROXIES) is None
    assert str(caller_of("10.1.1.1", [], PROXIES)) == "10.1.1.1"
    assert caller_of(None, [], PROXIES) is None
