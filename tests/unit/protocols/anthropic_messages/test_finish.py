import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.response import Finish, FinishReason
from anykey.protocols.anthropic_messages.finish import decode_finish, encode_finish

WORDS = [
    "end_turn",
    "stop_sequence",
    "max_tokens",
    "model_context_window_exceeded",
    "tool_use",
    "refusal",
    "pause_turn",
    "compaction",
]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("called", [True, False])
def test_every_word_comes_back(word: str, called: bool) -> None:
    finish, extras = decode_finish(word, None, None, called=called)
    log = LossLog("response")
    assert encode_finish(finish, extras, log)["stop_reason"] == word
    assert not log.losses


def test_a_call_decides_over_the_word() -> None:
    assert decode_finish("end_turn", None, None, called=True)[0].reason == "tool_calls"


def test_details_stand_beside_the_word() -> None:
    detail = {"type": "refusal", "category": "bio"}
    finish, extras = decode_finish("refusal", None, detail, called=False)
    wire = encode_finish(finish, extras, LossLog("response"))
    assert wire == {"stop_reason": "refusal", "stop_sequence": None, "stop_details": detail}
    assert decode_finish("stop_sequence", "END", None, called=False)[0] == Finish("stop_sequence", None, "END")


@pytest.mark.parametrize(
    ("reason", "word"),
    [("content_filter", "refusal"), ("other", "end_turn"), ("length", "max_tokens"), ("pause", "pause_turn")],
)
def test_finishes_of_other_protocols(reason: FinishReason, word: str) -> None:
    log = LossLog("response")
    assert encode_finish(Finish(reason, "eos"), {}, log)["stop_reason"] == word
    assert bool(log.losses) == (reason in ("content_filter", "other"))


def test_a_refusal_in_so_many_words_and_a_foreign_explanation() -> None:
    log = LossLog("response")
    wire = encode_finish(Finish("stop", detail={"filtered": True}), {}, log, refused=True)
    assert wire == {"stop_reason": "refusal", "stop_sequence": None}
    assert [loss.path for loss in log.losses] == ["finish.detail"]
    assert encode_finish(None, {}, log)["stop_reason"] is None
