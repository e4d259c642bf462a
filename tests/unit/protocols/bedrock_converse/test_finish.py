import pytest

from anykey.conversation.response import Finish
from anykey.protocols.bedrock_converse.finish import decode_finish


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("end_turn", Finish("stop")),
        ("tool_use", Finish("tool_calls")),
        ("max_tokens", Finish("length")),
        ("stop_sequence", Finish("stop_sequence")),
        ("content_filtered", Finish("content_filter")),
        ("guardrail_intervened", Finish("content_filter", "guardrail_intervened")),
        ("model_context_window_exceeded", Finish("context_window")),
        ("malformed_tool_use", Finish("other", "malformed_tool_use")),
        (3, Finish("other", "")),
    ],
)
def test_words(word: object, finish: Finish) -> None:
    assert decode_finish(word, called=False) == finish


def test_a_call_decides_over_the_end_but_not_over_the_limit() -> None:
    assert decode_finish("end_turn", called=True) == Finish("tool_calls", "end_turn")
    assert decode_finish("max_tokens", called=True) == Finish("length")
