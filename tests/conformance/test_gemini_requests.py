"""Recorded generateContent requests, and what real programs sent, read and told again: they say the same, up to what
`gemini_generate.codec` documents."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import ReasoningPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.verify import check_request
from anykey.protocols.anthropic_messages.dialect import Dialect as MessagesDialect
from anykey.protocols.anthropic_messages.request import encode_request as encode_messages
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.media import standard_base64
from anykey.protocols.gemini_generate.request import decode_request, encode_request
from anykey.protocols.gemini_generate.schema_decoding import decode_schema
from anykey.protocols.gemini_generate.spelling import camel_key
from anykey.protocols.openai_chat.dialect import Dialect as ChatDialect
from anykey.protocols.openai_chat.request import encode_request as encode_chat
from tests.conformance.recordings import captured, exchanges

pytestmark = pytest.mark.corpus

HERE = RequestPath("m", stream=False)
FULL = Dialect(tool_result_media="native", image_urls=True, labels=True, display_names=True, media_resolution=True)
REFUSED = {"465307ae1e635304": "a role that there is not; Google refuses it too"}
OWN_DATA = (
    *("args", "response", "parametersJsonSchema", "parameters", "responseSchema", "responseJsonSchema", "labels"),
    *("toolCall", "toolResponse", "executableCode"),
)
replace = msgspec.structs.replace


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def is_whole(body: Any) -> bool:
    return isinstance(body, dict) and b'"_elided"' not in dump(body)


BODIES: dict[str, dict[str, Any]] = {
    **{
        row["id"]: row["request"]["body"]
        for row in exchanges("gemini")
        if row["request"] and is_whole(row["request"]["body"])
    },
    **{
        f"captured-{verb}-{number}": row["request"]["body"]
        for verb in ("generateContent", "streamGenerateContent")
        for number, row in enumerate(captured(f":{verb}"))
        if is_whole(row["request"]["body"])
    },
}


def dialect_for(body: dict[str, Any]) -> Dialect:
    """Thinking by a budget where the request gives one."""
    said = dump(body)
    return replace(FULL, thinking="budget") if b'"thinkingBudget"' in said or b'"thinking_budget"' in said else FULL


def joined(request: GenerateRequest) -> GenerateRequest:
    """``request`` with messages of one role in a row as one, and without thoughts that cannot go back."""
    messages: list[Message] = []
    for message in request.messages:
        parts = tuple(part for part in message.parts if not (isinstance(part, ReasoningPart) and part.state is None))
        if messages and messages[-1].role == message.role:
            parts = (*messages.pop().parts, *parts)
        messages.append(Message(message.role, parts))
    return replace(request, messages=tuple(message for message in messages if message.parts))


def spelled(value: Any) -> Any:
    """``value`` in camelCase without nulls; the user's own data as it is."""
    if isinstance(value, list):
        return [spelled(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, item in value.items():  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        name = camel_key(str(key))  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        if item is not None:
            out[name] = item if name in OWN_DATA else spelled(item)
    return out


def part(value: dict[str, Any]) -> dict[str, Any]:
    """A part in the one spelling of `encode_request`, without ids."""
    if "thoughtSignature" in value:
        value["thoughtSignature"] = standard_base64(value["thoughtSignature"])
    if "inlineData" in value:
        value["inlineData"]["data"] = standard_base64(value["inlineData"]["data"])
    for item in value.get("functionResponse", {}).get("parts", ()):
        part(item)
    for key, inner in (("functionCall", "args"), ("functionResponse", "response")):
        if key in value:
            value[key].pop("id", None)
            value[key].setdefault(inner, {})
    return value


def parts_of(body: dict[str, Any]) -> list[Any]:
    """All parts in order, without those that are not sent."""
    told = [part(item) for content in body["contents"] for item in content.get("parts") or ()]
    return [
        item for item in told if item != {"text": ""} and not (item.get("thought") and "thoughtSignature" not in item)
    ]


def functions_of(body: dict[str, Any]) -> list[Any]:
    tools: Any = body.get("tools") or []
    found: list[Any] = []
    for tool in tools if isinstance(tools, list) else [tools]:  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        for item in tool.get("functionDeclarations", ()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            declared: dict[str, Any] = dict(item)  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
            schema = declared.pop("parameters", None) or declared.pop("parametersJsonSchema", None)
            found.append({**declared, "schema": schema and decode_schema(schema, "")})
    return found


def config_of(body: dict[str, Any]) -> dict[str, Any]:
    config = dict(body.get("generationConfig", {}))
    config.pop("thinkingConfig", None)  # compared as a decoded value
    schema = config.pop("responseSchema", None) or config.pop("responseJsonSchema", None)
    if schema:
        config["schema"] = decode_schema(schema, "")
    return config


@pytest.mark.parametrize("name", BODIES)
def test_a_request_comes_back(name: str) -> None:
    body = BODIES[name]
    if name in REFUSED:
        with pytest.raises(FailureError, match="role"):
            decode_request(dump(body), HERE)
        return
    request, read_losses = decode_request(dump(body), HERE)
    assert not read_losses
    check_request(request)
    again, losses = encode_request(request, dialect_for(body))
    assert {loss.code for loss in losses} <= {"dropped:messages.parts"}  # thoughts without a signature
    assert joined(decode_request(again, HERE).value) == joined(request)
    before, after = spelled(body), json.loads(again)
    assert parts_of(after) == parts_of(before)
    assert functions_of(after) == functions_of(before)
    assert config_of(after) == config_of(before)
    for key in ("safetySettings", "cachedContent", "labels", "modelArmorConfig", "store"):
        assert spelled(after).get(key) == before.get(key)


def refusal(encode: Any, request: GenerateRequest, dialect: Any) -> Failure | None:
    """Why ``request`` cannot be told in another protocol; what can be told has messages."""
    try:
        sent = json.loads(encode(request, dialect).body)
    except FailureError as error:
        return error.failure
    said = sent.get("messages") or sent.get("contents")
    assert said
    if "contents" in sent:
        assert all(first["role"] != second["role"] for first, second in pairwise(said))
    return None


@pytest.mark.parametrize("name", [name for name in BODIES if name not in REFUSED])
def test_a_request_reaches_the_other_protocols(name: str) -> None:
    """Whatever they refuse, they refuse by name."""
    request = decode_request(dump(BODIES[name]), HERE).value
    for encode, dialect in (
        (encode_chat, ChatDialect(tool_result_images="native")),
        (encode_messages, MessagesDialect()),
    ):
        refused = refusal(encode, request, dialect)
        assert refused is None or (refused.kind == "invalid_request" and refused.param)


@pytest.mark.parametrize("protocol", ["openai_chat", "anthropic_messages"])
def test_requests_of_the_other_protocols_reach_this_one(protocol: str) -> None:
    """Every recorded request can be told, or is refused for a part that Google could not get at."""
    bodies: list[Any] = [row["request"]["body"] for row in exchanges(protocol) if row["request"]]
    told = 0
    for body in bodies:
        if isinstance(body, dict) and "messages" in body:
            request = CODECS[protocol].decode_request(dump(body), RequestPath()).value
            refused = refusal(encode_request, request, Dialect(thought_signatures="required"))
            assert refused is None or refused.param, refused
            told += refused is None
    assert told > 100
