"""The input items of OpenAI Responses as turns, and what its API refuses in them.

Law: pure. Nothing is stored here, so that whatever refers to an earlier answer is refused; encrypted reasoning must be the
demo model's own, under its own item id and before the item it led to; every call has its output and every output its call.
"""

from anykey.demo.fields import Object, content_parts, joined_text, objects_field, required_text, text_field
from anykey.demo.prompt import BadRequestError, Role, Turn
from anykey.demo.signing import signed_answer

CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_CODE = "invalid_encrypted_content"
_FOLLOWS_REASONING = {"reasoning", "message", *CALLS}


def input_items(body: Object) -> list[Object]:
    """The input as items that all have a type; text alone is a user message. Raises BadRequestError."""
    if text_is(body.get("input")):
        return [{"type": "message", "role": "user", "content": body["input"]}]
    items = objects_field(body, "input")
    if not items:
        raise BadRequestError("input: at least one item is expected")
    return [{"type": "message", **item} for item in items]


def turns(items: list[Object]) -> tuple[Turn, ...]:
    """The items in the script's terms, after they were checked."""
    return tuple(turn for item in items if (turn := _turn(item)))


def check_items(items: list[Object], *, strict: bool) -> None:
    """Raise BadRequestError for what the API would refuse; `strict` also wants reasoning before the calls it led to."""
    _check_pairs(items)
    for place, item in enumerate(items):
        if item["type"] == "item_reference":
            raise BadRequestError(f"Item with id '{item.get('id')}' not found. Items are not persisted.")
        if item["type"] == "reasoning":
            _check_reasoning(item)
            after = items[place + 1] if place + 1 < len(items) else {}
            if after.get("type") not in _FOLLOWS_REASONING or after.get("role", "assistant") != "assistant":
                raise BadRequestError(f"Item '{_name(item)}' was provided without its required following item.")
    if strict:
        _check_calls_have_reasoning(items)


def text_is(value: object) -> bool:
    """The value is a text that says something."""
    return isinstance(value, str) and bool(value)


def _turn(item: Object) -> Turn | None:
    if item["type"] in CALLS.values():
        return Turn("user", results=(joined_text(content_parts(item, "output")),))
    if item["type"] in CALLS:
        return Turn("assistant")
    if item["type"] != "message":
        return None
    role = required_text(item, "role")
    if role not in _ROLES:
        raise BadRequestError(f"input: the role {role!r} is not known")
    parts = content_parts(item)
    media = sum(part.get("type") in {"input_image", "input_file", "input_audio"} for part in parts)
    spoken = [{**part, "type": "text"} if part.get("type") == "output_text" else part for part in parts]
    return Turn(_ROLES[role], joined_text(spoken), media=media)


def _check_pairs(items: list[Object]) -> None:
    open_calls: list[tuple[str, str]] = []
    for item in items:
        kind, call_id = item["type"], text_field(item, "call_id")
        if kind in CALLS:
            open_calls.append((CALLS[kind], call_id))
        elif kind in CALLS.values():
            if (kind, call_id) not in open_calls:
                raise BadRequestError(f"No tool call found for {kind.replace('_', ' ')} with call_id {call_id}.")
            open_calls.remove((kind, call_id))
    for kind, call_id in open_calls:
        raise BadRequestError(f"No tool output found for {kind.removesuffix('_output').replace('_', ' ')} {call_id}.")


def _check_reasoning(item: Object) -> None:
    encrypted = text_field(item, "encrypted_content")
    if not encrypted:
        raise BadRequestError(f"Item '{_name(item)}' of type 'reasoning' not found. Items are not persisted.")
    digest = signed_answer("encrypted_content", encrypted)
    if digest is None:
        message = "Encrypted content could not be decrypted or parsed."
        raise BadRequestError(
            f"The encrypted content for item {_name(item)} could not be verified. Reason: {message}", _CODE
        )
    if item.get("id") not in {None, reasoning_id(digest)}:
        raise BadRequestError("Encrypted content item_id did not match the target item id.", _CODE)


def reasoning_id(digest: str) -> str:
    """The id of the reasoning item in the answer to the request `digest`."""
    return f"rs_demo_{digest}"


def _check_calls_have_reasoning(items: list[Object]) -> None:
    """Since the user last spoke, every round of calls must have reasoning before it."""
    said = [place for place, item in enumerate(items) if item["type"] == "message" and item.get("role") == "user"]
    reasoned = False
    for item in items[said[-1] if said else 0 :]:
        if item["type"] in CALLS and not reasoned:
            name = f"Item '{_name(item)}' of type '{item['type']}'"
            raise BadRequestError(f"{name} was provided without its required 'reasoning' item.")
        reasoned = item["type"] == "reasoning" or (reasoned and item["type"] not in CALLS.values())


def _name(item: Object) -> str:
    return text_field(item, "id") or f"of type {item['type']}"
