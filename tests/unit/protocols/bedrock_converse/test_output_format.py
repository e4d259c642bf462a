import json

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import OutputFormat
from anykey.protocols.bedrock_converse.dialect import dialect
from anykey.protocols.bedrock_converse.output_format import encode_output_format

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}}
ASKED = OutputFormat("json_schema", SCHEMA, "n", "d", strict=True)


def test_the_schema_travels_as_a_text() -> None:
    log = LossLog("request")
    wire, sentence = encode_output_format(ASKED, dialect({"output_format": True}), log)
    assert sentence is None
    assert wire is not None
    told = wire["structure"]["jsonSchema"]
    assert json.loads(told.pop("schema")) == SCHEMA
    assert told == {"name": "n", "description": "d"}
    assert [loss.code for loss in log.losses] == ["dropped:output_format.strict"]


def test_a_sentence_asks_where_there_is_no_such_option() -> None:
    log = LossLog("request")
    wire, sentence = encode_output_format(ASKED, dialect({}), log)
    assert wire is None
    assert sentence is not None
    assert '"integer"' in sentence
    assert [loss.code for loss in log.losses] == [
        "dropped:output_format.strict", "dropped:output_format.name", "dropped:output_format.description",
        "emulated:output_format",
    ]  # fmt: skip


def test_any_json_is_asked_for_in_words_and_text_is_unsaid() -> None:
    log = LossLog("request")
    _, sentence = encode_output_format(OutputFormat("json_object"), dialect({"output_format": True}), log)
    assert sentence is not None
    assert [loss.code for loss in log.losses] == ["emulated:output_format"]
    assert encode_output_format(OutputFormat("text"), dialect({}), log) == (None, None)
    assert encode_output_format(None, dialect({}), log) == (None, None)
