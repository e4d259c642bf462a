from anykey.protocols.openai_chat.parsed import is_object, list_of, objects_of, text_of


def test_what_is_not_of_the_shape_is_passed_over() -> None:
    assert objects_of([{"a": 1}, "x", None]) == [{"a": 1}]
    assert list_of("text") == objects_of(None) == []
    assert list_of([1]) == [1]
    assert (text_of("x"), text_of(1)) == ("x", None)
    assert is_object({})
    assert not is_object([])
