import msgspec
import pytest

from anykey.conversation.parts import ToolCallPart
from anykey.protocols.gemini_generate.parts_encoding import encode_call, encode_text, encode_thought, sign


def test_text_and_thoughts_may_be_signed() -> None:
    assert encode_text("a") == {"text": "a"}
    assert sign(encode_thought("a"), "QQ==") == {"text": "a", "thought": True, "thoughtSignature": "QQ=="}


@pytest.mark.parametrize(
    ("arguments", "args", "exact"),
    [
        ('{"a": 1.0}', b'{"a": 1.0}', True),
        ("", b"{}", True),
        (" ", b"{}", True),
        ("[1]", b'{"_raw":"[1]"}', False),
        ('{"a":', b'{"_raw":"{\\"a\\":"}', False),
    ],
)
def test_arguments_are_an_object_in_their_own_spelling(arguments: str, args: bytes, exact: bool) -> None:
    entry, said = encode_call(ToolCallPart("c", "f", arguments), "g")
    assert msgspec.json.encode(entry) == b'{"functionCall":{"id":"c","name":"g","args":' + args + b"}}"
    assert said is exact


def test_free_text_stands_under_its_word_and_an_id_may_be_left_out() -> None:
    entry, exact = encode_call(ToolCallPart("c", "f", "do it", "custom"), "f", with_id=False)
    assert entry == {"functionCall": {"name": "f", "args": {"input": "do it"}}}
    assert exact
