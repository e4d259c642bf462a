"""HTTP_PROXY, HTTPS_PROXY, NO_PROXY."""

import pytest

from anykey.upstream.proxy import Proxy, ProxySettings


def test_from_environment_lower_case_first() -> None:
    settings = ProxySettings.from_environment(
        {
            "HTTP_PROXY": "http://upper:1",
            "http_proxy": "http://lower:2",
            "HTTPS_PROXY": "secure:3",
            "NO_PROXY": "a.test, b.test",
        }
    )
    assert settings == ProxySettings(Proxy("lower", 2), Proxy("secure", 3), ("a.test", "b.test"))
    assert ProxySettings.from_environment({}) == ProxySettings()


def test_credentials_of_the_url_become_basic_auth_and_stay_unseen() -> None:
    proxy = Proxy.from_url("http://me:s%40cret@proxy.test:3128")
    assert proxy.header == b"proxy-authorization: Basic bWU6c0BjcmV0\r\n"
    assert repr(ProxySettings(http=proxy)).count("proxy.test:3128") == 1
    assert "bWU6" not in repr(ProxySettings(http=proxy))
    assert Proxy("proxy.test", 1).header == b""


@pytest.mark.parametrize("url", ["socks5://me:secret@p:1", "https://p:1", "http://:1", "http://p:secret"])
def test_other_proxies_are_refused_by_the_name_of_the_variable(url: str) -> None:
    with pytest.raises(ValueError, match=r"^HTTPS_PROXY: ") as caught:
        ProxySettings.from_environment({"HTTPS_PROXY": url})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("direct", "host", "straight"),
    [
        ("", "a.test", False),
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("a.test", "x.a.test", True),
        (".a.test", "x.a.test", True),
        ("*.a.test", "x.a.test", True),
        ("a.test", "ba.test", False),
        ("a.test:443", "a.test", True),
        ("a.test:444", "a.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]", "fd00::1", True),
        ("10.0.0.0/8", "a.test", False),
        ("", "127.0.0.9", True),
        ("", "::1", True),
        ("", "localhost", True),
    ],
)
def test_no_proxy(direct: str, host: str, straight: bool) -> None:
    proxy = Proxy("proxy.test", 1)
    settings = ProxySettings.from_environment({"https_proxy": "http://proxy.test:1", "no_proxy": direct})
    assert settings.choose("https", host, 443) == (None if straight else proxy)
    assert settings.choose("http", host, 80) is None
