from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.response import Finish
from anykey.protocols.gemini_generate.finish import REASONS, decode_finish, empty_failure, encode_finish, finish_word
from tests.unit.protocols.gemini_generate.answers import codes


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("STOP", "STOP"),
        (1, "STOP"),
        (2, "MAX_TOKENS"),
        (12, "UNEXPECTED_TOOL_CALL"),
        (99, "99"),
        ("", None),
        (None, None),
    ],
)
def test_the_word_of_a_finish_reason(value: Any, word: str | None) -> None:
    assert finish_word(value) == word


def test_a_stop_beside_calls_waits_for_them() -> None:
    assert decode_finish("STOP", None, called=True) == Finish("tool_calls")
    assert decode_finish("STOP", "Model generated function call(s).", called=True) == Finish("tool_calls")
    assert decode_finish("STOP", None, called=False) == Finish("stop")
    assert decode_finish("MAX_TOKENS", None, called=True) == Finish("length")


@pytest.mark.parametrize(
    "word", ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"]
)
def test_a_block_is_a_content_filter_and_keeps_its_word(word: str) -> None:
    finish = decode_finish(word, "because", called=False)
    assert finish == Finish("content_filter", word, detail={"explanation": "because"})


def test_what_has_no_neutral_word_keeps_its_own() -> None:
    assert decode_finish("UNEXPECTED_TOOL_CALL", "x", called=True) == Finish(
        "other", "UNEXPECTED_TOOL_CALL", detail={"explanation": "x"}
    )
    assert decode_finish("NEW_ONE", None, called=False) == Finish("other", "NEW_ONE")
    assert decode_finish("CONTINUATION", None, called=False) == Finish("pause", "CONTINUATION")


def test_a_whole_answer_without_a_reason_is_done() -> None:
    assert decode_finish(None, None, called=False) == Finish("stop")
    assert decode_finish(None, None, called=True) == Finish("tool_calls")


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("word", sorted(REASONS))
def test_a_word_comes_back(word: str, *, called: bool) -> None:
    log = LossLog("response")
    finish = decode_finish(word, "why", called=called)
    assert encode_finish(finish, "choices[0]", log) == {"finishReason": word, "finishMessage": "why"}
    assert log.losses == []


@pytest.mark.parametrize(
    ("finish", "told", "losses"),
    [
        (None, {"finishReason": "STOP"}, []),
        (Finish("tool_calls", "end_turn"), {"finishReason": "STOP"}, []),
        (Finish("stop_sequence", stop_sequence="END"), {"finishReason": "STOP"}, ["dropped:c.stop_sequence"]),
        (Finish("length"), {"finishReason": "MAX_TOKENS"}, []),
        (Finish("context_window"), {"finishReason": "MAX_TOKENS"}, ["approximated:c.finish_reason"]),
        (Finish("content_filter"), {"finishReason": "SAFETY"}, []),
        (Finish("pause"), {"finishReason": "STOP"}, ["approximated:c.finish_reason"]),
        (Finish("other", "odd"), {"finishReason": "OTHER"}, ["approximated:c.finish_reason"]),
        (
            Finish("refusal", detail={"type": "refusal", "explanation": "no", "category": "bio"}),
            {"finishReason": "SAFETY", "finishMessage": "no"},
            ["dropped:c.stop_details.category"],
        ),
    ],
)
def test_what_a_client_reads(finish: Finish | None, told: dict[str, Any], losses: list[str]) -> None:
    log = LossLog("response")
    assert encode_finish(finish, "c", log) == told
    assert codes(log.losses) == losses


def test_a_fault_without_an_answer_is_a_failure() -> None:
    failure = empty_failure("MALFORMED_FUNCTION_CALL", "print(")
    assert failure is not None
    assert (failure.kind, failure.retryable, failure.code) == ("upstream_error", True, "MALFORMED_FUNCTION_CALL")
    assert failure.message.endswith(": print(")
    lacking = empty_failure("MISSING_THOUGHT_SIGNATURE", None)
    assert lacking is not None
    assert (lacking.kind, lacking.retryable) == ("invalid_request", False)
    assert empty_failure("SAFETY", None) is None
    assert empty_failure(None, None) is None
