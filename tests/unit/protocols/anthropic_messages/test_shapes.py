from typing import Any

from anykey.protocols.anthropic_messages.shapes import is_array, is_object

VALUES: list[Any] = [{}, [], "", None]


def test_shapes_are_told_apart() -> None:
    assert [is_object(value) for value in VALUES] == [True, False, False, False]
    assert [is_array(value) for value in VALUES] == [False, True, False, False]
