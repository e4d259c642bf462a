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
