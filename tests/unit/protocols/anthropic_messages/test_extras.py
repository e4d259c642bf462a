from anykey.conversation.losses import LossLog
from anykey.protocols.anthropic_messages.extras import keep, put, report_foreign


def test_our_own_keys_are_written_back_and_fields_already_there_win() -> None:
    log, target = LossLog("request"), {"type": "text"}
    put(target, keep({"type": "other", "caller": 1}), "messages[0].parts[0]", log)
    assert target == {"type": "text", "caller": 1}
    assert not log.losses


def test_every_foreign_key_is_a_loss_with_its_path() -> None:
    log = LossLog("request")
    report_foreign({"openai_chat": {"a": 1, "b": 2}}, "messages[0]", log)
    put({}, {"openai_chat": {"store": True}}, "", log)
    assert [loss.path for loss in log.losses] == ["messages[0].a", "messages[0].b", "store"]


def test_nothing_unread_is_no_extra() -> None:
    assert keep({}) == {}
