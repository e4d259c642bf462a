"""Which hosts may be named, and which addresses are public."""

import pytest

from anykey.routing.hosts import check_host, check_public_host, is_public_address


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "https://8.8.8.8", "https://[2606:4700::1111]:8443/v1"])
def test_public_hosts(url: str) -> None:
    assert check_public_host(url) is check_host(url) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434/v1", "http://localhost:1234", "https://10.0.0.8", "https://llm.local"]
)
def test_an_operator_may_name_hosts_of_his_own_network(url: str) -> None:
    assert check_host(url) is None
    assert check_public_host(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "ftp://api.example.com",
        "https://",
        "https://user:pass@api.example.com",
        "https://user@api.example.com",
        "https://api.example.com/v1?key=1",
        "https://api.example.com/#x",
        "https://api.example.com:99999",
        "https://api.exa mple.com",
        "https://api.example.com\\@10.0.0.1/",
        "https://ex\u00e4mple.com",
        "https://" + "a" * 3000,
        "nonsense",
    ],
)
def test_what_is_no_base_url_for_anybody(url: str) -> None:
    assert check_public_host(url) is not None
    assert check_host(url) is not None


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "127.1", "0x7f.0.0.1", "2130706433", "intranet", "[::1]", "[::ffff:10.0.0.1]",
     "169.254.169.254", "metadata.google.internal", "foo.localhost", "192.168.1.1", "0.0.0.0"],
)  # fmt: skip
def test_hosts_a_caller_may_not_name(host: str) -> None:
    assert check_public_host(f"https://{host}/v1") is not None


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("192.168.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public_address(address) is public


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="address"):
        is_public_address("api.example.com")
