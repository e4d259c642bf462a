from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.protocols.gemini_generate.extras import drop_extras, kept, synthetic_id, write_extras


def test_our_own_keys_are_written_and_others_are_losses() -> None:
    log, target = LossLog("request"), {"a": 1}
    write_extras(
        target, {"gemini_generate": {"a": 2, "b": 3}, "anthropic_messages": {"caller": {}}}, "messages[0]", log
    )
    assert target == {"a": 1, "b": 3}
    assert [(loss.kind, loss.path) for loss in log.losses] == [("dropped", "messages[0].caller")]


def test_a_key_goes_back_to_the_depth_it_came_from() -> None:
    target: Json = {"generationConfig": {"seed": 1}}
    write_extras(target, {"gemini_generate": {"generationConfig.seed": 2, "toolConfig.a.b": 3}}, "", LossLog("request"))
    assert target == {"generationConfig": {"seed": 1}, "toolConfig": {"a": {"b": 3}}}


def test_a_form_without_place_drops_every_key() -> None:
    log = LossLog("request")
    drop_extras({"gemini_generate": {"a": 1}, "anthropic_messages": {"b": 2}}, "x", log)
    assert [loss.path for loss in log.losses] == ["x.a", "x.b"]


def test_nothing_left_over_is_no_extras() -> None:
    assert kept({}) == {}
    assert kept({"a": 1}) == {"gemini_generate": {"a": 1}}


def test_a_made_up_id_depends_on_what_it_is_for() -> None:
    first = synthetic_id(0, 1, "read")
    assert first == synthetic_id(0, 1, "read") != synthetic_id(1, 1, "read")
    assert first.startswith("call_")
    assert len(first) == len("call_") + 24


def test_a_key_that_only_looks_like_a_path_stands_as_it_is() -> None:
    target: Json = {"role": "user"}
    write_extras(target, {"gemini_generate": {"role.x": 1}}, "", LossLog("request"))
    assert target == {"role": "user", "role.x": 1}
