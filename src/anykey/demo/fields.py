"""Reading parsed JSON whose shape is the caller's choice.

Law: a missing or null field is empty; a field of the wrong type is a `BadRequestError` that names it.
"""

from typing import Any, cast

from anykey.demo.prompt import BadRequestError

Object = dict[str, Any]


def text_field(body: Object, name: str) -> str:
    """The string at `name`, empty when absent."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError(f"{name}: a string is expected")
    return value


def required_text(body: Object, name: str) -> str:
    """The string at `name`, which must be there."""
    value = text_field(body, name)
    if not value:
        raise BadRequestError(f"{name}: field required")
    return value


def object_field(body: Object, name: str) -> Object:
    """The object at `name`, empty when absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequestError(f"{name}: an object is expected")
    return cast("Object", value)


def objects_field(body: Object, name: str) -> list[Object]:
    """The list of objects at `name`, empty when absent."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequestError(f"{name}: a list is expected")
    items = cast("list[Any]", value)
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadRequestError(f"{name}.{place}: an object is expected")
    return items


def limit_field(body: Object, name: str) -> int | None:
    """The positive whole number at `name`, or None."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadRequestError(f"{name}: a whole number above zero is expected")
    return value


def content_parts(message: Object, name: str = "content") -> list[Object]:
    """The parts of a content that may be a string, a list of parts or nothing."""
    value = message.get(name)
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    return objects_field(message, name)


def joined_text(parts: list[Object]) -> str:
    """The text parts, a line each."""
    return "\n".join(text_field(part, "text") for part in parts if part.get("type") in {"text", "input_text"})
