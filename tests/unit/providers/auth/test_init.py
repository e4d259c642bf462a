"""The table of schemes: every one is reached by its name, and none sends anything without a credential."""

import pytest

from anykey.providers.auth import SCHEMES, auth_headers
from anykey.providers.secret import Secret


@pytest.mark.parametrize(("scheme", "headers"), [("bearer", 1), ("x_api_key", 1), ("none", 0)])
def test_a_scheme_by_name(scheme: str, headers: int) -> None:
    assert len(auth_headers(scheme, Secret("k-1"))) == headers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_a_credential_nothing_is_sent(scheme: str) -> None:
    assert auth_headers(scheme, None) == ()
