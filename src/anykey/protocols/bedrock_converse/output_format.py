"""``outputConfig.textFormat``: the answer as JSON of a given shape; where a model has no such option, a sentence asks for it."""

from __future__ import annotations

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import OutputFormat
from anykey.protocols.bedrock_converse.dialect import Dialect

_ANY_JSON = "Answer with one JSON object and nothing else: no prose, no code fence."
_BY_SCHEMA = (
    "Answer with one JSON document and nothing else: no prose, no code fence. It must fit this JSON Schema:\n{}"
)


def encode_output_format(asked: OutputFormat | None, dialect: Dialect, log: LossLog) -> tuple[Json | None, str | None]:
    """(``outputConfig.textFormat``, a sentence for the system text): one of them at most."""
    if asked is None or asked.kind == "text":
        return None, None
    if asked.strict is not None:
        log.dropped("output_format.strict", "a format is always strict here")
    native = dialect.output_format and asked.kind == "json_schema" and asked.schema is not None
    for name in ("name", "description"):
        if getattr(asked, name) is not None and not native:
            log.dropped(f"output_format.{name}", "the format is told in words, without it")
    if asked.kind == "json_object" or asked.schema is None:
        log.emulated("output_format", "asked for in the system text: this protocol has no JSON without a schema")
        return None, _ANY_JSON
    schema = msgspec.json.encode(asked.schema).decode()
    if not native:
        log.emulated("output_format", "asked for in the system text, because this model takes no output format")
        return None, _BY_SCHEMA.format(schema)
    wire: Json = {"schema": schema}
    if asked.name is not None:
        wire["name"] = asked.name
    if asked.description is not None:
        wire["description"] = asked.description
    return {"type": "json_schema", "structure": {"jsonSchema": wire}}, None
