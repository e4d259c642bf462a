from anykey.conversation.losses import LossLog
from anykey.protocols.bedrock_converse.extras import keep, list_at, object_at, report


def test_nulls_are_not_kept() -> None:
    assert keep({"a": None, "b": 1}) == {"bedrock_converse": {"b": 1}}
    assert keep({"a": None}) == {}


def test_other_protocols_keys_are_named() -> None:
    log = LossLog("request")
    report({"openai_chat": {"x": 1}, "bedrock_converse": {"y": 2}}, "messages[0]", log)
    report({}, "messages[1]", log)
    assert [loss.path for loss in log.losses] == ["messages[0].x"]


def test_what_has_another_shape_is_empty() -> None:
    assert object_at({"a": [1]}, "a") == object_at({}, "a") == {}
    assert list_at({"a": {}}, "a") == []
    assert list_at({"a": [1]}, "a") == [1]
