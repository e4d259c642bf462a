"""Calls on our own account carry the credential as its scheme says."""

import pytest

from anykey.administration.provider_calls import ProviderCaller
from anykey.providers.configured import ProviderSettings, StoredCredential
from anykey.providers.load import catalogue
from anykey.providers.records import EndpointRow
from anykey.providers.secret import Secret
from anykey.upstream.client import UpstreamClient
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

AWS = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


async def answer(_: RecordedCall, connection: WireConnection) -> None:
    await connection.json(200, {"ok": True})


@pytest.mark.parametrize(
    ("scheme", "secret", "target", "header", "value"),
    [
        ("bearer", "k-1", "/models?page=1", "authorization", "Bearer k-1"),
        ("x_api_key", "k-1", "/models?page=1", "x-api-key", "k-1"),
        ("query_key", "k 1", "/models?page=1&key=k%201", "authorization", None),
        ("aws_sigv4", AWS, "/models?page=1", "authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        ("none", "k-1", "/models?page=1", "authorization", None),
    ],
)
async def test_the_scheme_decides(scheme: str, secret: str, target: str, header: str, value: str | None) -> None:
    client = UpstreamClient()
    async with WireServer(answer) as server:
        door = EndpointRow("openai_chat", server.url, region="us-east-1", auth=scheme, headers={"x-row": "row"})
        provider = ProviderSettings(
            "lab", catalogue()["custom"], (door,), Secret(secret), headers=(("x-own", "ours"), ("x-version", "1"))
        )
        found = await ProviderCaller(client, provider).get(door, f"{server.url}/models?page=1", ((b"x-version", b"0"),))
        await client.aclose()
    (call,) = server.calls
    assert (found.status, found.body, call.method, call.target) == (200, b'{"ok": true}', "GET", target)
    assert (call.header("x-row"), call.header("x-own"), call.header("x-version")) == ("row", "ours", "1")
    got = call.header(header)
    assert got == value if value is None or scheme != "aws_sigv4" else (got or "").startswith(value)


async def test_of_several_credentials_the_first_is_shown_and_none_where_there_is_none() -> None:
    client = UpstreamClient()
    async with WireServer(answer) as server:
        door = EndpointRow("openai_chat", server.url)
        held = (StoredCredential("lab#a", Secret("k-a"), auth="x_api_key"), StoredCredential("lab#b", Secret("k-b")))
        several = ProviderSettings("lab", catalogue()["custom"], (door,), Secret("k-a"), credentials=held)
        bare = ProviderSettings("lab", catalogue()["custom"], (door,))
        await ProviderCaller(client, several).post(door, f"{server.url}/x", (), b"{}")
        await ProviderCaller(client, bare).post(door, f"{server.url}/x", (), b"{}")
        await client.aclose()
    first, second = server.calls
    assert (first.header("x-api-key"), first.body, first.header("content-type")) == ("k-a", b"{}", "application/json")
    assert second.header("x-api-key") is second.header("authorization") is None
