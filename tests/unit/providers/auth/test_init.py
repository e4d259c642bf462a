"""The table of schemes: every one is reached by its name, and none sends anything without a credential."""

import pytest

from anykey.providers.auth import SCHEMES, auth_headers
from anykey.providers.secret import Secret


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [("bearer", 1), ("x_api_key", 1), ("x_goog_api_key", 1), ("azure_api_key", 1), ("query_key", 0), ("none", 0)],
)
def test_a_scheme_by_name(scheme: str, headers: int) -> None:
    assert len(auth_headers(scheme, Secret("k-1"))) == headers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_a_credential_nothing_is_sent(scheme: str) -> None:
    assert auth_headers(scheme, None) == ()


@pytest.mark.parametrize("scheme", SCHEMES.keys() - {"none"})
def test_no_scheme_takes_a_text_that_breaks_a_header(scheme: str) -> None:
    fault = SCHEMES[scheme].fault("k-1\r\nx-evil: 1")
    assert fault is not None
    assert fault.startswith("settings.")


def test_what_a_scheme_asks_for_it_can_read() -> None:
    assert [name for name, scheme in SCHEMES.items() if scheme.grant] == ["google_oauth"]
    assert all((scheme.grant is None) == (scheme.token is None) for scheme in SCHEMES.values())
