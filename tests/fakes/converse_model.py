"""What Converse takes, by the service model that botocore ships: an upstream that is as strict as the real one."""

import itertools
import re
from functools import cache
from importlib import import_module
from typing import Any


@cache
def _input_shape() -> Any:
    """botocore has no types, so its modules are any."""
    loaders: Any = import_module("botocore.loaders")
    model: Any = import_module("botocore.model")
    service = model.ServiceModel(loaders.Loader().load_service_model("bedrock-runtime", "service-2"))
    return service.operation_model("ConverseStream").input_shape


def faults(body: dict[str, Any]) -> list[str]:
    """What is wrong with a request body; nothing, if the service would take its shape."""
    shape, validate = _input_shape(), import_module("botocore.validate")
    report: Any = validate.ParamValidator().validate({"modelId": "a.model", **body}, shape)
    told: str = report.generate_report()
    return [line for line in [*told.splitlines(), *_words(shape, body, "")] if line] + _turns(body)


def _words(shape: Any, value: Any, path: str) -> list[str]:
    """Enumerations, patterns and longest lengths, which botocore leaves to the service."""
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            inner = [(key, shape.members[key], item) for key, item in value.items() if key in shape.members]
            return [fault for key, member, item in inner for fault in _words(member, item, f"{path}.{key}")]
        case "list":
            return [fault for at, item in enumerate(value) for fault in _words(shape.member, item, f"{path}[{at}]")]
        case "string" if isinstance(value, str):
            pattern, most = shape.metadata.get("pattern"), shape.metadata.get("max")
            wrong = (shape.enum and value not in shape.enum) or (pattern and not re.fullmatch(pattern, value))
            return [f"{path}: {value!r}"] if wrong or (most and len(value) > most) else []
        case _:
            return []


def _turns(body: dict[str, Any]) -> list[str]:
    """What the documentation of the members says in words."""
    found: list[str] = []
    roles = [message["role"] for message in body["messages"]]
    if roles[0] != "user" or any(one == other for one, other in itertools.pairwise(roles)):
        found.append(f"roles do not alternate from the user's on: {roles}")
    blocks = [block for message in body["messages"] for block in message["content"]]
    if any("toolUse" in block or "toolResult" in block for block in blocks) and "toolConfig" not in body:
        found.append("calls without toolConfig")
    if any(not block["text"].strip() for block in blocks if "text" in block):
        found.append("a blank text")
    for message in body["messages"]:
        kinds = {key for block in message["content"] for key in block}
        if "document" in kinds and "text" not in kinds:
            found.append("a document without a text")
        if message["role"] == "assistant" and kinds & {"image", "document"}:
            found.append("a picture of the assistant's")
    return found
