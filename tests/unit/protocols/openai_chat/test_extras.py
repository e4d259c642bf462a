from anykey.conversation.losses import LossLog
from anykey.protocols.openai_chat.extras import drop_extras, kept, synthetic_id, write_extras


def test_our_own_keys_are_written_and_others_are_losses() -> None:
    log, target = LossLog("request"), {"a": 1}
    write_extras(target, {"openai_chat": {"a": 2, "b": 3}, "anthropic_messages": {"caller": {}}}, "messages[0]", log)
    assert target == {"a": 1, "b": 3}
    assert [(loss.kind, loss.path) for loss in log.losses] == [("dropped", "messages[0].caller")]


def test_a_top_level_key_has_no_owner_in_its_path() -> None:
    log = LossLog("request")
    write_extras({}, {"anthropic_messages": {"context_management": {}}}, "", log)
    assert log.losses[0].path == "context_management"


def test_a_form_without_place_drops_every_key() -> None:
    log = LossLog("request")
    drop_extras({"openai_chat": {"a": 1}, "anthropic_messages": {"b": 2}}, "x", log)
    assert [loss.path for loss in log.losses] == ["x.a", "x.b"]


def test_nothing_left_over_is_no_extras() -> None:
    assert kept({}) == {}
    assert kept({"a": 1}) == {"openai_chat": {"a": 1}}


def test_a_made_up_id_depends_on_what_it_is_for() -> None:
    first = synthetic_id("call_", 0, "read")
    assert first == synthetic_id("call_", 0, "read") != synthetic_id("call_", 1, "read")
    assert len(first) == len("call_") + 24
