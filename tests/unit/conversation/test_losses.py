"""Losses as values and as a header."""

from anykey.conversation.losses import Loss, LossLog, summarize


def test_the_code_leaves_indices_out() -> None:
    assert Loss("dropped", "messages[3].content[0].cache_control", "x").code == "dropped:messages.content.cache_control"


def test_the_header_counts_all_and_names_each_code_once() -> None:
    log = LossLog("request")
    log.dropped("messages[0].name", "no place")
    log.dropped("messages[1].name", "no place")
    log.approximated("temperature", "clamped")
    log.emulated("stop", "cut here")
    assert summarize(log.losses) == "4; dropped:messages.name, approximated:temperature, emulated:stop"
    assert {loss.side for loss in log.losses} == {"request"}
    assert summarize([]) == "0"


def test_keys_of_another_protocol_are_lost_but_not_its_names_of_pieces() -> None:
    log = LossLog("response")
    extras = {"openai_chat": {"a": 1}, "openai_responses": {"id": "x", "message": {"id": "y"}, "phase": "z"}}
    log.foreign(extras, "openai_chat", "content[0]", "no place")
    log.foreign({"openai_responses": {"message": {"id": "y", "phase": "z"}}}, "openai_chat", "", "no place")
    assert [loss.path for loss in log.losses] == ["content[0].phase", "message"]


def test_a_message_that_is_no_object_is_a_loss_like_any_key() -> None:
    log = LossLog("request")
    log.foreign({"gemini_generate": {"message": True}}, "openai_chat", "content[0]", "no place")
    assert [loss.path for loss in log.losses] == ["content[0].message"]
