import pytest

from anykey.protocols.openai_chat.open_call import OpenCall


@pytest.mark.parametrize(
    ("pieces", "whole"), [([], False), (['{"a"'], False), (['{"a"', ":1}"], True), (["{}", "x"], False)]
)
def test_a_function_call_is_whole_when_its_arguments_are_json(pieces: list[str], whole: bool) -> None:
    call = OpenCall("function")
    call.arguments += pieces
    assert call.is_whole() is whole


def test_free_text_is_never_known_to_be_whole() -> None:
    call = OpenCall("custom")
    call.arguments.append("{}")
    assert not call.is_whole()
