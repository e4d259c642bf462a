from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.request import OutputFormat
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.output_format import decode_output_format, encode_output_format

SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("config", "form", "left"),
    [
        ({}, None, {}),
        ({"responseMimeType": "text/plain"}, OutputFormat("text"), {}),
        ({"responseMimeType": "application/json"}, OutputFormat("json_object"), {}),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
            OutputFormat("json_schema", SCHEMA),
            {},
        ),
        ({"responseJsonSchema": {"type": "OBJECT"}}, OutputFormat("json_schema", SCHEMA), {}),
        (
            {"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}},
            None,
            {"generationConfig.responseMimeType": "text/x.enum", "generationConfig.responseSchema": {"enum": ["a"]}},
        ),
    ],
)
def test_a_format_is_read(config: dict[str, Any], form: OutputFormat | None, left: dict[str, Any]) -> None:
    kept: dict[str, Any] = {}
    assert decode_output_format(Fields(config, "generationConfig"), kept, LossLog("request")) == form
    assert kept == left


def test_of_two_schemas_one_counts() -> None:
    log = LossLog("request")
    config = Fields({"responseSchema": {"type": "STRING"}, "responseJsonSchema": SCHEMA}, "generationConfig")
    assert decode_output_format(config, {}, log) == OutputFormat("json_schema", SCHEMA)
    assert [loss.code for loss in log.losses] == ["dropped:generationConfig.responseSchema"]


@pytest.mark.parametrize(
    ("form", "json_schema", "config", "losses"),
    [
        (OutputFormat("text"), True, {"responseMimeType": "text/plain"}, []),
        (OutputFormat("json_object"), True, {"responseMimeType": "application/json"}, []),
        (
            OutputFormat("json_schema", SCHEMA, "n", "d", strict=True),
            True,
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
            ["dropped:output_format.name", "dropped:output_format.description", "dropped:output_format.strict"],
        ),
        (
            OutputFormat("json_schema", {"type": "string", "x": 1}),
            False,
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            ["dropped:output_format.schema.x"],
        ),
    ],
)
def test_a_format_is_sent(form: OutputFormat, json_schema: bool, config: dict[str, Any], losses: list[str]) -> None:
    log, out = LossLog("request"), dict[str, Any]()
    encode_output_format(out, form, Dialect(json_schema=json_schema), log)
    assert out == config
    assert [loss.code for loss in log.losses] == losses
