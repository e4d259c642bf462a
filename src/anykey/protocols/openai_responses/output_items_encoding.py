"""Items of an answer, neutral to wire. A stream's last word of an item and a whole answer's item are made here alike."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Citation,
    Extras,
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    ToolCallPart,
)
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS, call_fields
from anykey.protocols.openai_responses.extras import NAME, NO_FIELD, own
from anykey.protocols.openai_responses.output_items import CUSTOM_CALL, FUNCTION_CALL
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of

COMPLETED, INCOMPLETE, IN_PROGRESS = "completed", "incomplete", "in_progress"
_SEARCHES = frozenset({"web_search", "google_search", "googleSearch"})


def message_item(contents: list[Json], extras: Extras, identity: str, status: str) -> Json:
    item: Json = {"type": "message", "id": identity, "status": status, "content": contents, "role": "assistant"}
    for key, value in own(extras).get("message", {}).items():
        item.setdefault(key, value)
    return item


def text_content(text: str, annotations: list[Json], logprobs: list[Any], extras: Extras) -> Json:
    content: Json = {"type": "output_text", "annotations": annotations, "logprobs": logprobs, "text": text}
    return _with_own(content, extras)


def refusal_content(text: str, extras: Extras) -> Json:
    return _with_own({"type": "refusal", "refusal": text}, extras)


def _with_own(content: Json, extras: Extras) -> Json:
    for key, value in own(extras).items():
        if key != "message":
            content.setdefault(key, value)
    return content


def encode_citation(citation: Citation, length: int) -> Json | None:
    """An annotation of a text of ``length`` characters; None if the citation has no address. One without a place is of the whole
    text."""
    if citation.origin == NAME:
        return citation.raw
    if citation.url is None:
        return None
    return {
        "type": "url_citation",
        "start_index": citation.start or 0,
        "end_index": length if citation.end is None else citation.end,
        "url": citation.url,
        "title": citation.title or "",
    }


def annotations_of(citations: tuple[Citation, ...], length: int, path: str, log: LossLog) -> list[Json]:
    """The annotations of a text; what has no address is a Loss."""
    found: list[Json] = []
    for index, citation in enumerate(citations):
        annotation = encode_citation(citation, length)
        if annotation is None:
            log.dropped(f"{path}.citations[{index}]", "only citations of an address can be told")
        else:
            found.append(annotation)
    return found


def spelled_logprobs(entries: list[Any]) -> list[Any]:
    """Log probabilities with the fields that clients insist on; other protocols may leave ``bytes`` and alternatives out."""
    return [_spelled_logprob(entry) if is_object(entry) else entry for entry in entries]


def _spelled_logprob(entry: Json) -> Json:
    others = [_with_bytes(other) for other in list_of(entry.get("top_logprobs")) if is_object(other)]
    return {**_with_bytes(entry), "top_logprobs": others}


def _with_bytes(entry: Json) -> Json:
    if entry.get("bytes") is not None:
        return entry
    return {**entry, "bytes": list((text_of(entry.get("token")) or "").encode("utf-8", "replace"))}


def reasoning_item(part: ReasoningPart, identity: str, path: str, log: LossLog) -> Json:
    """A reasoning item. The exact pieces, where they are known, stand for the text."""
    item: Json = {"type": "reasoning", "id": identity, "summary": summary_of(part.text)}
    for key, value in own(part.extras).items():
        if key != "id":
            item[key] = value
    state = part.state
    if state is not None and state.origin == NAME:
        item["encrypted_content"] = state.data
    elif state is not None:
        log.dropped(f"{path}.state", f"only {state.origin} can read it")
    return item


def summary_of(text: str) -> list[Json]:
    return [{"type": "summary_text", "text": text}] if text else []


def call_item(part: ToolCallPart, identity: str, status: str, path: str, log: LossLog) -> Json:
    """A call that the client runs, in the form of its kind."""
    if part.kind in CLIENT_TOOLS:
        try:
            item: Json = {"id": identity, **call_fields(part), "status": status}
        except ValueError:
            log.approximated(f"{path}.arguments", "they are no JSON object, so the call is told as a function's")
            item = _function_item(part, identity, status)
    elif part.kind == "custom":
        item = {"type": CUSTOM_CALL, "id": identity, "call_id": part.id, "name": part.name, "input": part.arguments}
        item["status"] = status
    else:
        item = _function_item(part, identity, status)
    if part.namespace is not None:
        item["namespace"] = part.namespace
    for key, value in own(part.extras).items():
        item.setdefault(key, value)
    return item


def _function_item(part: ToolCallPart, identity: str, status: str) -> Json:
    arguments = part.arguments or ("{}" if status == COMPLETED else "")  # clients parse it
    return {
        "type": FUNCTION_CALL,
        "id": identity,
        "call_id": part.id,
        "name": part.name,
        "arguments": arguments,
        "status": status,
    }


def call_type(part: ToolCallPart) -> str:
    """The type of the item that ``call_item`` makes of a call whose arguments are JSON."""
    if part.kind in CLIENT_TOOLS:
        return CLIENT_TOOLS[part.kind].call
    return CUSTOM_CALL if part.kind == "custom" else FUNCTION_CALL


def whole_type(part: Part) -> str | None:
    """The type of the item of a part that comes whole; None where this protocol has none for it."""
    match part:
        case ToolCallPart(kind="hosted"):
            return own(part.extras).get("type") or ("web_search_call" if part.name in _SEARCHES else None)
        case MediaPart(kind="image") if part.data is not None:
            return "image_generation_call"
        case OpaquePart(origin=origin) if origin == NAME:
            return part.kind
        case _:
            return None


def whole_item(part: Part, identity: str, path: str, log: LossLog) -> Json | None:
    """The item of a part that comes whole: a provider's own call, a picture, an item kept as it was. None, and a Loss, for any
    other."""
    match part:
        case ToolCallPart(kind="hosted") if "type" in own(part.extras):
            return {"id": part.id, **own(part.extras)}
        case ToolCallPart(kind="hosted") if part.name in _SEARCHES:
            return {"type": "web_search_call", "id": identity, "status": COMPLETED, "action": _search(part.arguments)}
        case ToolCallPart():
            log.dropped(path, f"the call of {part.name} was run by its own provider")
        case MediaPart(kind="image", data=str()):
            return _image_item(part, identity)
        case OpaquePart(origin=origin) if origin == NAME:
            return part.value if "type" in part.value else {"type": part.kind, **part.value}
        case OpaquePart() | MediaPart():
            log.dropped(path, f"an answer in Responses has no place for a {part.kind} block of this form")
        case _:
            log.dropped(path, "an answer in Responses has no place for it")
    return None


def _image_item(part: MediaPart, identity: str) -> Json:
    item: Json = {"type": "image_generation_call", "id": identity, "status": COMPLETED, "result": part.data}
    word = (part.media_type or "").removeprefix("image/")
    if word and word != "png":
        item["output_format"] = word
    for key, value in own(part.extras).get("image_generation_call", {}).items():
        item[key] = value
    return item


def _search(arguments: str) -> Json:
    """The action of another provider's web search, of which only the words are told alike everywhere."""
    try:
        asked: Any = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        asked = None
    fields: Json = asked if is_object(asked) else {}
    queries = [query for query in list_of(fields.get("queries")) if isinstance(query, str)]
    query = text_of(fields.get("query")) or (queries[0] if queries else "")
    return {"type": "search", "query": query, **({"queries": queries} if queries else {})}


def report_foreign(extras: Extras, path: str, log: LossLog) -> None:
    """A Loss for each key of another protocol's."""
    for origin, keys in extras.items():
        if origin != NAME:
            for key in keys:
                log.dropped(f"{path}.{key}", NO_FIELD)


def as_begun(item: Json) -> Json:
    """An item that comes whole, as it is told when it begins."""
    begun = dict(item)
    if "status" in begun:
        begun["status"] = IN_PROGRESS
    if begun["type"] == "image_generation_call":
        begun["result"] = None
    return begun
