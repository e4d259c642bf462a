"""What fits into a header as it is."""

import pytest

from anykey.providers.auth import visible


@pytest.mark.parametrize("text", ["k-1", "!", "~", "a:b/c+d=="])
def test_one_word_fits(text: str) -> None:
    assert visible.fault(text) is None


@pytest.mark.parametrize("text", ["two words", "tab\t", "line\r\nx-evil: 1", "schlüssel", "\x7f", "\0"])
def test_all_else_does_not(text: str) -> None:
    assert visible.fault(text) == "settings.bad_credential"
