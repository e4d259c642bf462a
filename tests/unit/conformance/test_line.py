"""Addresses and credentials as each protocol's clients use them, seen from a real socket."""

from collections.abc import AsyncGenerator

import pytest

from anykey.conformance.line import WRONG_KEY, Line
from anykey.conversation.parts import ProtocolName
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json


@pytest.fixture
async def client() -> AsyncGenerator[UpstreamClient]:
    made = UpstreamClient()
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    ("url", "chat", "gemini"),
    [
        ("http://g", "http://g/v1/chat/completions", "http://g/v1beta/models"),
        ("http://g/", "http://g/v1/chat/completions", "http://g/v1beta/models"),
        ("http://g/v1/", "http://g/v1/chat/completions", "http://g/v1beta/models"),
        ("http://g/api/v3", "http://g/api/v3/chat/completions", "http://g/api/v1beta/models"),
        ("http://g/v1beta", "http://g/v1beta/chat/completions", "http://g/v1beta/models"),
        ("http://g/anthropic", "http://g/anthropic/v1/chat/completions", "http://g/anthropic/v1beta/models"),
    ],
)
async def test_where_each_protocol_is(client: UpstreamClient, url: str, chat: str, gemini: str) -> None:
    line = Line(client, url, "k", 1)
    assert line.address("openai_chat") == chat
    assert line.address("gemini_generate") == gemini
    assert line.models_address("openai_chat") == chat.replace("/chat/completions", "/models")


@pytest.mark.parametrize(
    ("protocol", "name", "value"),
    [
        ("openai_chat", "authorization", "Bearer {}"),
        ("openai_responses", "authorization", "Bearer {}"),
        ("anthropic_messages", "x-api-key", "{}"),
        ("gemini_generate", "x-goog-api-key", "{}"),
    ],
)
async def test_the_key_stands_where_the_protocol_wants_it(
    client: UpstreamClient, protocol: ProtocolName, name: str, value: str
) -> None:
    async with WireServer(reply_json({})) as server:
        line = Line(client, server.url, "my-key", 5)
        await line.post(protocol, line.address(protocol), b"{}")
        await line.post(protocol, line.address(protocol), b"{}", WRONG_KEY)
        await line.get(protocol, line.models_address(protocol))
        assert [call.header(name) for call in server.calls] == [
            value.format(key) for key in ("my-key", WRONG_KEY, "my-key")
        ]
        assert [call.method for call in server.calls] == ["POST", "POST", "GET"]
        assert line.calls == 3
        assert (server.calls[0].header("anthropic-version") is not None) == (protocol == "anthropic_messages")


async def test_what_is_heard(client: UpstreamClient) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(404, {}, [("request-id", "r1"), ("X-Thing", "first"), ("X-Thing", "second")])

    async with WireServer(script) as server:
        heard = await Line(client, server.url, "k", 5).get("openai_chat", server.url + "/x")
    assert (heard.status, heard.body, heard.request_id) == (404, b"{}", "r1")
    assert heard.content_type == "application/json"
    assert heard.headers["x-thing"] == "first"


async def test_a_silent_gateway_is_given_up(client: UpstreamClient) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(5)

    async with WireServer(script) as server:
        with pytest.raises(UpstreamError, match=r"silent|not done"):
            await Line(client, server.url, "k", 0.1).get("openai_chat", server.url + "/x")
