"""Paths of deployments."""

import pytest

from anykey.routing.configured import split_path


@pytest.mark.parametrize(
    ("text", "path"),
    [("a/b", ("a", "b")), ("@a/b/c", ("a", "b/c")), ("a", ("a", "")), ("/b", ("", "b")), ("", ("", ""))],
)
def test_the_first_slash_parts_provider_and_model(text: str, path: tuple[str, str]) -> None:
    assert split_path(text) == path
