"""Keys without a neutral field."""

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.protocols.openai_responses.extras import drop_extras, kept, own, synthetic_id, write_extras


def test_ours_come_back_and_another_protocols_are_losses() -> None:
    log, target = LossLog("request"), dict[str, Any](a=1)
    extras = {"openai_responses": {"a": 2, "b": 3}, "openai_chat": {"c": 4}}
    write_extras(target, extras, "messages[0]", log)
    assert target == {"a": 1, "b": 3}
    write_extras(target, {"openai_chat": {"c": 4}}, "", log)
    drop_extras(extras, "x", log)
    assert [loss.path for loss in log.losses] == ["messages[0].c", "c", "x.a", "x.b", "x.c"]


def test_nothing_is_kept_of_nothing() -> None:
    assert kept({}) == {}
    assert own(kept({"a": 1})) == {"a": 1}
    assert own({}) == {}


def test_an_id_is_made_of_what_it_stands_for() -> None:
    assert synthetic_id("call_", 1, "a") == synthetic_id("call_", 1, "a")
    assert synthetic_id("call_", 1, "a") != synthetic_id("call_", 1, "b")
