"""The exact bytes of the bearer scheme."""

import pytest

from anykey.providers.auth import bearer
from anykey.providers.secret import Secret


def test_header() -> None:
    assert bearer.headers(Secret("k-1")) == ((b"authorization", b"Bearer k-1"),)


def test_a_credential_outside_ascii_is_not_mangled() -> None:
    with pytest.raises(UnicodeEncodeError):
        bearer.headers(Secret("schlüssel"))
