"""``responseMimeType`` with its schema, both ways."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import OutputFormat
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.schema_decoding import decode_schema
from anykey.protocols.gemini_generate.schema_encoding import encode_schema
from anykey.protocols.gemini_generate.spelling import is_object

JSON_TYPE = "application/json"


def decode_output_format(config: Fields, left: Json, log: LossLog) -> OutputFormat | None:
    """The format that ``generationConfig`` asks for; one that the neutral model does not have goes to ``left`` as it is."""
    mime = config.text("responseMimeType")
    key, older = "responseJsonSchema", config.any("responseSchema")
    schema: Any = config.any(key)
    if schema is None:
        key, schema = "responseSchema", older
    elif older is not None:
        log.dropped(config.at("responseSchema"), "responseJsonSchema counts")
    if mime in (None, JSON_TYPE) and is_object(schema):
        return OutputFormat("json_schema", decode_schema(schema, config.at(key)))
    if schema is None and mime in (None, JSON_TYPE, "text/plain"):
        return None if mime is None else OutputFormat("json_object" if mime == JSON_TYPE else "text")
    for name, value in (("responseMimeType", mime), (key, schema)):
        if value is not None:
            left[f"generationConfig.{name}"] = value
    return None


def encode_output_format(config: Json, asked: OutputFormat, dialect: Dialect, log: LossLog) -> None:
    """Write the format into ``generationConfig``."""
    if asked.kind == "text":
        config["responseMimeType"] = "text/plain"
        return
    for name in ("name", "description", "strict"):
        if getattr(asked, name) is not None:
            log.dropped(f"output_format.{name}", "a format is only a schema here")
    config["responseMimeType"] = JSON_TYPE
    if asked.schema is None:
        return
    if dialect.json_schema:
        config["responseJsonSchema"] = asked.schema
    else:
        config["responseSchema"] = encode_schema(asked.schema, "output_format.schema", log)
