import pytest

from anykey.protocols.openai_chat.dialect import Dialect, dialect, listed, refused


def test_an_empty_table_is_the_official_spelling() -> None:
    assert dialect({}) == Dialect()
    assert Dialect().max_tokens_field == "max_completion_tokens"


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"thinking_switch": "maybe"}, "thinking_switch"),
        ({"efforts": "low, some"}, "some"),
        ({"refused_fields": "seed, messages"}, "messages"),
        ({"prompt_cache_header": "x-cache: 1"}, "prompt_cache_header"),
    ],
)
def test_an_unknown_field_or_value_is_named(table: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        dialect(table)


def test_a_field_that_lists_words() -> None:
    assert listed("low, high,") == {"low", "high"}
    assert listed("") == frozenset()


def test_what_no_request_may_have() -> None:
    assert refused(Dialect()) == frozenset()
    assert refused(Dialect(refused_fields="seed", stop=False)) == {"seed", "stop"}
    assert refused(Dialect(penalties=False)) == {"frequency_penalty", "presence_penalty"}
    assert refused(Dialect(logprobs=False)) == {"logprobs", "top_logprobs", "logit_bias"}
