"""What an answer says, whatever the protocol that carried it."""

from typing import Any

import msgspec

from anykey.conversation.parts import ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.conversation.response import Choice, GenerateResponse
from anykey.protocols.anthropic_messages.response import MADE_MEDIUM


def told(response: GenerateResponse) -> dict[str, Any]:
    """The words, the thoughts and the calls of the first choice. A refusal may be told as text, so both are sorted together."""
    parts = response.choices[0].parts
    return {
        "said": sorted(
            "".join(part.text for part in parts if isinstance(part, TextPart | RefusalPart) and not _is_note(part))
        ),
        "thought": "".join(part.text for part in parts if isinstance(part, ReasoningPart)),
        "calls": [
            (part.id, part.name, arguments_of(part))
            for part in parts
            if isinstance(part, ToolCallPart) and part.kind != "hosted"
        ],
    }


def arguments_of(part: ToolCallPart) -> Any:
    """The arguments as a JSON value, the text of a custom tool as ``{"input": text}``; what is no JSON object as
    ``{"_raw": text}``."""
    if part.kind == "custom":
        return {"input": part.arguments}
    try:
        value = msgspec.json.decode(part.arguments or "{}")
    except msgspec.DecodeError:
        return {"_raw": part.arguments}
    return value if type(value) is dict else {"_raw": part.arguments}  # pyright: ignore[reportUnknownVariableType] - parsed JSON


def normal_answer(response: GenerateResponse) -> dict[str, Any]:
    """An answer without what the codecs document as meaning nothing: in how many pieces words and thoughts come, how arguments
    are spaced, the order of words and calls (Chat has none), the provider's own word for a finish, and that Chat tells a refusal
    as a filtered answer."""
    value = msgspec.structs.asdict(response)
    value["choices"] = [_choice(choice) for choice in response.choices]
    return value


def _choice(choice: Choice) -> dict[str, Any]:
    value = msgspec.structs.asdict(choice)
    del value["parts"], value["finish"]
    said: dict[str, list[Any]] = {
        "text": [],
        "thought": [],
        "refusal": [],
        "citations": [],
        "states": [],
        "calls": [],
        "other": [],
    }
    for part in choice.parts:
        match part:
            case TextPart():
                said["text"].append(part.text)
                said["citations"] += [citation.raw for citation in part.citations]
            case ReasoningPart():
                said["thought"].append(part.text)
                said["states"] += [part.state] if part.state else []
            case RefusalPart():
                said["refusal"].append(part.text)
            case ToolCallPart():
                said["calls"].append((part.id, part.name, part.kind, arguments_of(part)))
            case _:
                said["other"].append(part)
    for kind in ("text", "thought", "refusal"):
        value[kind] = "".join(said.pop(kind))
    reason = choice.finish.reason if choice.finish else None
    value["finish"] = "content_filter" if reason == "refusal" else reason
    return {**value, **said}


def _is_note(part: TextPart | RefusalPart) -> bool:
    """What stands for a medium that the client cannot be shown."""
    return part.text in {MADE_MEDIUM.format(kind) for kind in ("image", "document", "audio", "video")}
