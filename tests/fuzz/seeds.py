"""What fuzzing begins with: one request and one answer that hold a little of everything, as each protocol spells them; and how
bytes are bent, for the cases that need no fuzzer.
"""

from random import Random

from anykey.conversation.assembly import replay
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    MediaPart,
    OpaqueState,
    ProtocolName,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.tools import CustomTool, FunctionTool, ToolChoice
from anykey.conversation.usage import Usage
from anykey.protocols.catalog import CODECS

_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def _request(name: ProtocolName) -> GenerateRequest:
    call = ToolCallPart("call_1", "look", '{"a":"b"}')
    return GenerateRequest(
        "m",
        (
            Message("user", (TextPart("Hi €", CacheHint("5m")), MediaPart("image", "image/png", "AAAA"))),
            Message("assistant", (ReasoningPart("hm", OpaqueState(name, "c2ln", "call")), TextPart("Yes."), call)),
            Message("user", (ToolResultPart("call_1", (TextPart("found"),)), TextPart("And?"))),
        ),
        (TextPart("Be brief."),),
        (FunctionTool("look", "Looks.", _SCHEMA, strict=True), CustomTool("write", "Writes.")),
        ToolChoice("named", ("look",)),
        max_output_tokens=9000,
        temperature=0.5,
        stop=("END",),
        reasoning=Reasoning(effort="low"),
        output_format=OutputFormat("json_schema", _SCHEMA, "shape"),
        metadata={"user_id": "u"},
        stream=True,
    )


def _answer(name: ProtocolName) -> GenerateResponse:
    source = Citation(name, {"type": "url_citation", "url": "https://a.test"}, "https://a.test", "A", None, 0, 2)
    parts = (
        ReasoningPart("hm", OpaqueState(name, "c2ln", "call")),
        ToolCallPart("call_1", "look", '{"a":"b"}'),
        ToolCallPart("call_2", "write", "free text", "custom"),
        TextPart("Yes €.", citations=(source,)),
        RefusalPart("No."),
    )
    return GenerateResponse("id_1", "m", (Choice(parts, Finish("tool_calls")),), Usage(3, 1, 0, 0, 4, 2), 1_700_000_000)


def _spelled() -> tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]:
    requests: dict[str, bytes] = {}
    answers: dict[str, bytes] = {}
    streams: dict[str, bytes] = {}
    for name, codec in CODECS.items():
        request, answer = _request(codec.name), _answer(codec.name)
        requests[name] = codec.encode_request(request, codec.dialect({})).body
        answers[name] = codec.encode_response(answer, request, requests[name]).body
        streams[name] = codec.stream_encoder(request, requests[name]).feed(replay(answer))
    return requests, answers, streams


REQUESTS, ANSWERS, STREAMS = _spelled()
"""By the protocol's name."""

TOKENS = (
    *(
        b"null",
        b"{}",
        b"[]",
        b'""',
        b"-1",
        b"1e999",
        b"0.5",
        b"true",
        b'"x"',
        b"\\u0000",
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"]",
    ),
    *(
        b",",
        b":",
        b'"',
        b"\\",
        b"\n\n",
        b"\r\n\r\n",
        b"\r",
        b"data: ",
        b"data:",
        b"event: error\n",
        b": c\n",
        b"[DONE]",
    ),
    *(b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\x00", b'"index":', b'"type":', b'"error":{}', b'"output_index":7', b"\n"),
)
"""What means something to a reader of JSON or of an event stream."""


def bend(whole: bytes, number: int) -> bytes:
    """``whole`` with up to four pieces cut out, doubled, moved or overwritten; the same for the same ``number``."""
    chance = Random(number)
    bent = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(bent))
        end = min(start + chance.choice((1, 1, 4, 16, 64, 256)), len(bent))
        match chance.randint(0, 5):
            case 0:
                del bent[start:end]
            case 1:
                bent[start:start] = bent[start:end]
            case 2:
                piece = bent[start:end]
                del bent[start:end]
                place = chance.randint(0, len(bent))
                bent[place:place] = piece
            case 3:
                bent[start : start + 1] = chance.randbytes(1)
            case 4:
                bent[start:end] = chance.choice(TOKENS)
            case _:
                bent[start:start] = chance.choice(TOKENS)
    return bytes(bent)
