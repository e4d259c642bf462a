"""A probe is one tiny real call, and says what came of it."""

from pathlib import Path
from typing import Any

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.probing import OUTPUT_TOKENS, probe
from anykey.settings import Settings, load_settings
from anykey.upstream.client import UpstreamClient
from tests.fakes.answers import CHAT, MESSAGES, whole
from tests.fakes.gateway import lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer


def settings(tmp_path: Path, protocol: str, url: str) -> Settings:
    file = tmp_path / "anykey.toml"
    file.write_text(lab(protocol, url))
    return load_settings({"ANYKEY_HOME": str(tmp_path), "LAB_KEY": "lab-secret"}, file)


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_an_answer(tmp_path: Path, protocol: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, whole(protocol))

    client = UpstreamClient()
    async with WireServer(script) as server:
        result = await probe(client, settings(tmp_path, protocol, server.url), "lab/m")
        await client.aclose()
    assert (result.status, result.problem, result.protocol) == (200, None, protocol)
    assert result.usage is not None
    assert (result.usage.total_input(), result.usage.total_output()) == (7, 3)
    (call,) = server.calls
    assert call.json()["model"] == "m"
    assert OUTPUT_TOKENS in {call.json().get("max_tokens"), call.json().get("max_completion_tokens")}
    assert "lab-secret" in (call.header("authorization") or call.header("x-api-key") or "")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, {"error": {"message": "no such model", "type": "invalid_request_error"}}, "no such model"),
        (200, {"nothing": "of use"}, ""),
    ],
)
async def test_a_refusal(tmp_path: Path, status: int, body: Any, said: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(status, body)

    client = UpstreamClient()
    async with WireServer(script) as server:
        result = await probe(client, settings(tmp_path, CHAT, server.url), "lab/m")
        await client.aclose()
    assert result.status == status
    assert result.problem
    assert said in result.problem
    assert "lab-secret" not in result.problem


async def test_nobody_there_and_names_that_cannot_be_called(tmp_path: Path) -> None:
    client = UpstreamClient()
    known = settings(tmp_path, CHAT, "http://127.0.0.1:9")
    result = await probe(client, known, "lab/m")
    assert (result.status, result.usage) == (0, None)
    assert "127.0.0.1:9" in (result.problem or "")
    for name in ("m", "lab/", "elsewhere/m"):
        with pytest.raises(AdministrationError):
            await probe(client, known, name)
    with pytest.raises(AdministrationError, match="built in"):
        await probe(client, load_settings({"ANYKEY_HOME": str(tmp_path / "none")}, None), "demo/demo")
    await client.aclose()
