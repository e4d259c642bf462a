"""How many tokens a request or an answer holds, where nobody says so. An estimate: no tokenizer is asked.

Four bytes of UTF-8 make a token, as they do about in English prose and code; each message and tool costs four more. Pictures
cost what their area does where their size can be read (750 pixels a token), else 1,600, which is also the most.
"""

from __future__ import annotations

import binascii
import math
from typing import Any

import msgspec

from anykey.conversation.parts import (
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool

BYTES_PER_TOKEN = 4
OVERHEAD_TOKENS = 4
IMAGE_TOKENS = 1600
PIXELS_PER_TOKEN = 750
PDF_TOKENS = 1500
PDF_BYTES = 50_000
"""A PDF costs ``PDF_TOKENS`` for every ``PDF_BYTES`` it begins."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = 32  # characters of base64 that hold signature, width and height
_encode_json = msgspec.json.Encoder().encode


def estimate_input_tokens(request: GenerateRequest) -> int:
    """Tokens of system text, messages, tools and media of ``request``; at least 1."""
    size = 0
    tokens = OVERHEAD_TOKENS * (len(request.messages) + len(request.tools))
    for tool in request.tools:
        size += _tool_bytes(tool)
    if request.output_format is not None and request.output_format.schema is not None:
        size += len(_encode_json(request.output_format.schema))
    for parts in (request.instructions, *[message.parts for message in request.messages]):
        part_bytes, media_tokens = _count(parts)
        size += part_bytes
        tokens += media_tokens
    return max(tokens + math.ceil(size / BYTES_PER_TOKEN), 1)


def answer_bytes(answer: GenerateResponse) -> int:
    """Bytes of all that was said in ``answer``: text, reasoning and the arguments of calls."""
    return sum(_count(choice.parts)[0] for choice in answer.choices)


def tokens_of(size: int) -> int:
    """How many tokens so many bytes of text are taken for."""
    return math.ceil(size / BYTES_PER_TOKEN)


def _count(parts: tuple[Part, ...]) -> tuple[int, int]:
    """(bytes of text, tokens of media)."""
    size = tokens = 0
    for part in parts:
        match part:
            case TextPart() | ReasoningPart() | RefusalPart():
                size += utf8_size(part.text)
            case ToolCallPart():
                size += utf8_size(part.name) + utf8_size(part.arguments)
            case ToolResultPart():
                inner_bytes, inner_tokens = _count(part.content)
                size += inner_bytes
                tokens += inner_tokens
            case MediaPart():
                if part.text is not None:
                    size += utf8_size(part.text)
                else:
                    tokens += _medium_tokens(part)
            case OpaquePart():
                size += len(_encode_json(part.value))
    return size, tokens


def utf8_size(text: str) -> int:
    """Bytes of ``text`` on the wire."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _tool_bytes(tool: Tool) -> int:
    match tool:
        case FunctionTool():
            spelled: Any = tool.parameters or {}
        case CustomTool():
            spelled = tool.format or {}
        case HostedTool():
            return len(_encode_json(tool.value))
    return utf8_size(tool.name) + utf8_size(tool.description or "") + len(_encode_json(spelled))


def _medium_tokens(part: MediaPart) -> int:
    data = part.data
    if part.kind == "image":
        return IMAGE_TOKENS if data is None else image_tokens(data)
    if data is None:
        return PDF_TOKENS
    decoded = len(data) * 3 // 4
    if part.media_type is not None and part.media_type.startswith("text/"):
        return math.ceil(decoded / BYTES_PER_TOKEN)
    return PDF_TOKENS * max(math.ceil(decoded / PDF_BYTES), 1)


def image_tokens(data: str) -> int:
    """Of a picture in base64, whose beginning is enough: by the size that a PNG tells there; other formats are taken as large."""
    try:
        head = binascii.a2b_base64(data[:_PNG_HEAD])
    except (binascii.Error, ValueError):
        return IMAGE_TOKENS
    if not head.startswith(_PNG_SIGNATURE) or len(head) < 24:
        return IMAGE_TOKENS
    pixels = int.from_bytes(head[16:20]) * int.from_bytes(head[20:24])
    return min(max(math.ceil(pixels / PIXELS_PER_TOKEN), 1), IMAGE_TOKENS)
