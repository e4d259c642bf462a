"""Recorded Responses requests, and what client programs were captured with, read and told again in Responses: they say the same,
up to what `openai_responses.codec` documents; and each reaches Chat Completions and Messages."""

import json

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import FunctionTool
from anykey.conversation.verify import check_request
from anykey.protocols.anthropic_messages.codec import CODEC as MESSAGES
from anykey.protocols.codec import Codec, RequestPath
from anykey.protocols.openai_chat.codec import CODEC as CHAT
from anykey.protocols.openai_responses.codec import CODEC
from anykey.protocols.openai_responses.dialect import Dialect
from tests.conformance.recordings import captured, exchanges

pytestmark = pytest.mark.corpus

FULL = Dialect(reasoning_text=True, cache_breakpoints=True, audio=True, video=True)
replace = msgspec.structs.replace

STATEFUL = ("previous_response_id", "conversation", "background", "can be referred to by its id only")
"""What only the journey around the codec can answer."""

EXPECTED_LOSSES = {
    "approximated:messages.content",  # a file by id
    "approximated:messages.content.content",
    "emulated:messages.content.name",  # a name with a dot, which an agent made up
}
UNSENDABLE = (
    "at least one message is required",
    "nothing in them can be sent",
    "uploaded to another provider",
    "are not supported",
)


def is_whole(body: Json | None) -> bool:
    """It was written down as it was sent; of large ones the captures keep only a digest."""
    return body is not None and b'"_elided"' not in json.dumps(body).encode()


def recorded() -> dict[str, Json]:
    """Bodies by the name of their recording."""
    rows: list[tuple[str, Json | None]] = [
        (row["id"], row["request"]["body"]) for row in exchanges("openai_responses") if row["request"]
    ]
    rows += [(f"captured-{n}", row["request"]["body"]) for n, row in enumerate(captured("/responses"))]
    return {name: body for name, body in rows if body is not None and is_whole(body)}


BODIES = recorded()


def decode(body: Json) -> GenerateRequest | None:
    """None where it needs the store, and says so."""
    try:
        return CODEC.decode_request(json.dumps(body).encode(), RequestPath()).value
    except FailureError as error:
        if not any(word in error.failure.message for word in STATEFUL):
            raise
        return None


def settled(request: GenerateRequest) -> GenerateRequest:
    """``request`` without what is respelled on purpose."""
    tools = tuple(
        replace(tool, strict=tool.strict or False, parameters=tool.parameters or {"type": "object", "properties": {}})
        if isinstance(tool, FunctionTool)
        else tool
        for tool in request.tools
    )
    return replace(request, tools=tools)


@pytest.mark.parametrize("name", BODIES)
def test_a_request_comes_back(name: str) -> None:
    request = decode(BODIES[name])
    if request is None:
        return
    check_request(request)
    again, losses = CODEC.encode_request(request, FULL)
    codes = {loss.code for loss in losses}
    assert codes <= EXPECTED_LOSSES
    told = CODEC.decode_request(again, RequestPath()).value
    if "emulated:messages.content.name" not in codes:
        assert settled(told) == settled(request)
    assert CODEC.encode_request(told, FULL).body == again
    check_sent(BODIES[name], json.loads(again))


def check_sent(given: Json, sent: Json) -> None:
    """Whatever key was given is sent, and every text of the input is somewhere in it."""
    respelled = {"store", "user", "include", "reasoning", "tools", "stream", "input"}
    for key, value in given.items():
        if key not in respelled and value not in (None, {}, ""):
            assert key in sent, key
    spelled = json.dumps(sent["input"])
    items: list[Json] = [] if isinstance(given["input"], str) else given["input"]
    for item in items:
        for key in ("arguments", "call_id", "encrypted_content"):
            if isinstance(item.get(key), str) and item[key] and item.get("execution") != "client":
                assert json.dumps(item[key])[1:-1] in spelled


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("target", [CHAT, MESSAGES], ids=lambda target: target.name)
def test_a_request_reaches_the_other_protocols(name: str, target: Codec) -> None:
    request = decode(BODIES[name])
    if request is None:
        return
    try:
        body, losses = target.encode_request(request, target.dialect({}))
    except FailureError as error:
        if not any(word in error.failure.message for word in UNSENDABLE):
            raise
        return
    sent = json.loads(body)
    assert sent["messages"]
    assert len(losses) < 2000
    names = [tool.get("function", tool).get("name") for tool in sent.get("tools", ())]
    assert len(names) == len(set(names))
