from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Citation, TextPart
from anykey.protocols.gemini_generate.texts_encoding import drop_mark, write_text


def test_an_empty_text_is_not_sent_unless_something_hangs_on_it() -> None:
    log = LossLog("request")
    assert write_text(TextPart("a"), "p", log) == {"text": "a"}
    assert write_text(TextPart(""), "p", log) is None
    assert write_text(TextPart("", extras={"gemini_generate": {"x": 1}}), "p", log) == {"text": "", "x": 1}
    assert log.losses == []
    assert write_text(TextPart("", CacheHint()), "p", log) is None
    assert [loss.code for loss in log.losses] == ["dropped:p.cache_control"]


def test_each_citation_is_named() -> None:
    log = LossLog("request")
    write_text(TextPart("a", citations=(Citation("openai_chat", {}), Citation("openai_chat", {}))), "p", log)
    assert [loss.path for loss in log.losses] == ["p.citations[0]", "p.citations[1]"]


def test_no_mark_is_no_loss() -> None:
    log = LossLog("request")
    drop_mark(None, "p", log)
    assert log.losses == []
