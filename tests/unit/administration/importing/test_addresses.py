"""What is an address."""

import pytest

from anykey.administration.importing.addresses import is_address


@pytest.mark.parametrize("text", ["http://h", "https://h.example:8443/v1/", "http://[::1]:80"])
def test_a_url_with_a_host_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["", "h.example/v1", "http://", "http://[", "http://h:x", "http://h:99999", "ftp://h"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_address(text)
