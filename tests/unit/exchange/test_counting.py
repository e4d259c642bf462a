"""How many tokens a prompt has: the upstream's word, or an estimate that says so."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from anykey.conversation.parts import OpaqueState, ReasoningPart
from anykey.exchange import counting
from anykey.protocols.envelope import Maker, derive_secret, seal
from tests.fakes.answers import CHAT, MESSAGES, answering, ask, config, failing, request, whole, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json

PATH = "/v1/messages/count_tokens"
ESTIMATED = "x-anykey-token-count"


def question(**more: Any) -> dict[str, Any]:
    """A count request: it has no max_tokens."""
    body = request(MESSAGES, system="Be brief.", **more)
    del body["max_tokens"]
    return body


def native(url: str) -> str:
    """A provider of a kind that counts tokens itself."""
    return config((MESSAGES, url)).replace('kind = "custom"\nprotocol = "anthropic_messages"', 'kind = "anthropic"')


async def test_the_upstream_counts_where_it_can(tmp_path: Path) -> None:
    async with (
        WireServer(reply_json({"input_tokens": 4321})) as server,
        RunningGateway(tmp_path, native(server.url)) as gateway,
    ):
        headers = {**gateway.headers(), "anthropic-beta": "count-2026"}
        reply = await gateway.post(PATH + "?beta=true", question(), headers)
        rows = await gateway.rows(0)
    assert (reply.status, reply.json()) == (200, {"input_tokens": 4321})
    assert ESTIMATED not in reply.headers
    assert reply.headers["request-id"] == reply.headers["x-anykey-request-id"]
    call = server.calls[0]
    assert (call.target, call.json()) == (PATH, {**question(), "model": "upstream-model"})
    assert (call.header("x-api-key"), call.header("anthropic-beta")) == ("lab-secret", "count-2026")
    assert rows == []


@pytest.mark.parametrize("status", [404, 405, 429, 500, 501])
async def test_where_it_cannot_an_estimate_is_marked(tmp_path: Path, status: int) -> None:
    async with (
        WireServer(failing(status, {"type": "error", "error": {"type": "x", "message": "no"}})) as server,
        RunningGateway(tmp_path, native(server.url)) as gateway,
    ):
        reply = await gateway.post(PATH, question())
    assert (reply.status, reply.headers[ESTIMATED]) == (200, "estimated")
    assert 1 <= reply.json()["input_tokens"] <= 50


async def test_an_answer_without_sense_is_estimated_too(tmp_path: Path) -> None:
    async def rude(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    async with WireServer(rude) as server, RunningGateway(tmp_path, native(server.url)) as gateway:
        for script in (rude, reply_json({"input_tokens": "many"}), reply_json([])):
            server.script = script
            assert (await gateway.post(PATH, question())).headers[ESTIMATED] == "estimated"


async def test_another_protocol_upstream_is_not_asked(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, failing(500, {})) as (gateway, server):
        short = await gateway.post(PATH, question())
        long = await gateway.post(PATH, question(tools=[{"name": "f", "input_schema": {"a": "x" * 4000}}]))
    assert server.calls == []
    assert short.headers[ESTIMATED] == "estimated"
    assert 900 <= long.json()["input_tokens"] - short.json()["input_tokens"] <= 1200


async def test_a_refused_question_keeps_the_upstreams_words(tmp_path: Path) -> None:
    told = {"type": "error", "error": {"type": "invalid_request_error", "message": "messages: at least one"}}
    async with WireServer(failing(400, told)) as server, RunningGateway(tmp_path, native(server.url)) as gateway:
        reply = await gateway.post(PATH, question())
    assert reply.status == 400
    assert "messages: at least one" in reply.json()["error"]["message"]


async def test_what_is_no_question_is_refused_here(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, failing(500, {})) as (gateway, _):
        cases: list[tuple[Any, dict[str, str] | None, int]] = [
            (question(messages="hi"), None, 400),
            (b"{", None, 400),
            (question(model="@no/such"), None, 404),
            (question(), {}, 401),
        ]
        for body, headers, status in cases:
            reply = await gateway.post(PATH, body, headers)
            assert (reply.status, reply.json()["type"]) == (status, "error")
            assert reply.headers["request-id"]


async def test_the_estimate_learns_from_usage(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "word " * 400}]
    usage = {"prompt_tokens": 1000, "completion_tokens": 3, "total_tokens": 1003}
    async with wired(tmp_path, CHAT, reply_json({**whole(CHAT), "usage": usage})) as (gateway, _):
        plain = await gateway.post(PATH, question(messages=said))
        assert (await ask(gateway, MESSAGES, messages=said, system="Be brief.")).status == 200
        learnt = await gateway.post(PATH, question(messages=said))
        twice = await gateway.post(PATH, question(messages=said * 2))
    assert (plain.headers[ESTIMATED], learnt.headers[ESTIMATED]) == ("estimated", "estimated; calibrated")
    assert plain.json()["input_tokens"] < 600
    assert learnt.json() == {"input_tokens": 1000}
    assert 1900 < twice.json()["input_tokens"] < 2100


async def test_a_calls_own_answer_is_not_what_a_verbatim_one_teaches(tmp_path: Path) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, _):
        assert (await ask(gateway, MESSAGES)).status == 200
        assert (await gateway.post(PATH, question())).headers[ESTIMATED] == "estimated"


async def test_twenty_six_at_once(tmp_path: Path) -> None:
    """What Claude Code's /context sends. The issue asks for 100 ms; the bound here holds on a slow machine too."""
    tools = [{"name": f"tool_{n}", "description": "d" * 400, "input_schema": {"type": "object"}} for n in range(40)]
    async with wired(tmp_path, CHAT, failing(500, {})) as (gateway, _):
        bodies = [question(tools=tools[: n + 1]) for n in range(26)]
        await gateway.post(PATH, bodies[0])
        began = time.monotonic()
        replies = await asyncio.gather(*(gateway.post(PATH, body) for body in bodies))
        took_ms = (time.monotonic() - began) * 1000
    print(f"26 parallel counts: {took_ms:.0f} ms")
    assert {reply.status for reply in replies} == {200}
    counts = [reply.json()["input_tokens"] for reply in replies]
    assert counts == sorted(set(counts))
    assert took_ms < 2000


async def test_a_count_that_takes_too_long_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(5)

    monkeypatch.setattr(counting, "LONGEST_WAIT_S", 0.05)
    async with WireServer(slow) as server, RunningGateway(tmp_path, native(server.url)) as gateway:
        assert (await gateway.post(PATH, question())).headers[ESTIMATED] == "estimated"


async def test_state_of_another_provider_is_not_shown_to_the_one_that_counts(tmp_path: Path) -> None:
    async with (
        WireServer(reply_json({"input_tokens": 9})) as server,
        RunningGateway(tmp_path, native(server.url)) as gateway,
    ):
        maker = Maker("gemini_generate", "elsewhere", "elsewhere/m")
        part = ReasoningPart("hm", OpaqueState("gemini_generate", "AAAA"))
        sealed = seal(part, maker, derive_secret(gateway.home.pepper))
        thought = {"type": "thinking", "thinking": "hm", "signature": sealed}
        said = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [thought, {"type": "text", "text": "ho"}]},
            {"role": "user", "content": "go on"},
        ]
        reply = await gateway.post(PATH, question(messages=said))
    assert (reply.status, reply.json()) == (200, {"input_tokens": 9})
    sent = server.calls[0].json()
    assert sealed not in server.calls[0].body.decode()
    assert (sent["model"], sent["system"], "max_tokens" in sent) == ("upstream-model", "Be brief.", False)
    assert sent["messages"][1]["content"] == "ho"
