import base64
import struct

import pytest

from anykey.conversation.estimate import (
    IMAGE_TOKENS,
    OVERHEAD_TOKENS,
    PDF_TOKENS,
    answer_bytes,
    estimate_input_tokens,
    tokens_of,
)
from anykey.conversation.message import Message
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
from anykey.conversation.request import GenerateRequest, OutputFormat
from anykey.conversation.response import Choice, GenerateResponse
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool


def count(*parts: Part) -> int:
    """Tokens of the parts alone."""
    return estimate_input_tokens(GenerateRequest("m", (Message("user", parts),))) - OVERHEAD_TOKENS


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return base64.b64encode(head + bytes(40)).decode()


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (TextPart("a" * 40), 10),
        (TextPart("é" * 20), 10),
        (ReasoningPart("a" * 8), 2),
        (RefusalPart("a" * 8), 2),
        (ToolCallPart("id", "name", "a" * 8), 3),
        (ToolResultPart("id", (TextPart("a" * 8), MediaPart("image", url="u"))), 2 + IMAGE_TOKENS),
        (OpaquePart("anthropic_messages", "x", {"a": 1}), 2),
        (MediaPart("image", "image/jpeg", "/9j/"), IMAGE_TOKENS),
        (MediaPart("image", "image/png", png(750, 100)), 100),
        (MediaPart("image", "image/png", png(9000, 9000)), IMAGE_TOKENS),
        (MediaPart("image", "image/png", "not base64 at all"), IMAGE_TOKENS),
        (MediaPart("document", "application/pdf", "A" * 200_000), 3 * PDF_TOKENS),
        (MediaPart("document", url="u"), PDF_TOKENS),
        (MediaPart("document", "text/plain", "A" * 400), 75),
        (MediaPart("document", text="a" * 40), 10),
    ],
)
def test_parts(part: Part, tokens: int) -> None:
    assert count(part) == tokens


def test_system_tools_and_schema_count_too() -> None:
    plain = GenerateRequest("m", (Message("user", (TextPart("a" * 400),)),))
    base = estimate_input_tokens(plain)
    tools = (
        FunctionTool("name", "d" * 36, {"type": "object"}),
        CustomTool("name"),
        HostedTool("anthropic_messages", "x", None, {"type": "x"}),
    )
    asked = GenerateRequest(
        "m",
        plain.messages,
        instructions=(TextPart("a" * 40),),
        tools=tools,
        output_format=OutputFormat("json_schema", {"type": "object"}),
    )
    assert base == 104
    assert base + 10 + 3 * OVERHEAD_TOKENS + 10 < estimate_input_tokens(asked) < base + 60


def test_nothing_is_still_one_token() -> None:
    assert estimate_input_tokens(GenerateRequest("m", ())) == 1


def test_all_that_an_answer_says_is_counted() -> None:
    said = (TextPart("\u8bcd"), ReasoningPart("hm"), ToolCallPart("c", "read", "{}"))
    answer = GenerateResponse("r", "m", (Choice(said), Choice((TextPart("ab"),))))
    assert answer_bytes(answer) == 3 + 2 + 6 + 2
    assert [tokens_of(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
