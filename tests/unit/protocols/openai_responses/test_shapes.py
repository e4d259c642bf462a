from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of


def test_shapes_of_parsed_json() -> None:
    assert is_object({})
    assert not is_object([])
    assert list_of([1]) == [1]
    assert list_of({"a": 1}) == []
    assert text_of("a") == "a"
    assert text_of(1) is None
