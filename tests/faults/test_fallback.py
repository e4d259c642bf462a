"""From deployment to deployment and from credential to credential: what rests, what is told, what is kept of it (F08 to F14)."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.health import enable, provider_health
from anykey.administration.requests import attempts_of, find_request
from anykey.settings import load_settings
from anykey.storage.health import HealthRow, HealthShare
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    MODEL,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    config,
    failing,
    pieces,
    told_text,
    whole,
)
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

SLOW_DOWN: dict[str, Any] = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}}
BAD_KEY: dict[str, Any] = {"error": {"message": "Incorrect API key provided: sk-x", "type": "invalid_request_error"}}
TROUBLE: dict[str, Any] = {"error": {"message": "no", "type": "server_error"}}


async def dying(call: RecordedCall, connection: WireConnection) -> None:
    """Begins a stream and dies before any content."""
    await connection.sse_start()
    await connection.sse(*pieces(CHAT).lifecycle)
    connection.reset()


def told(row_id: str, gateway: RunningGateway) -> list[tuple[int, str, str, int | None, str | None]]:
    """Each try of a call: number, deployment, outcome, HTTP status, kind of failure."""
    tries = attempts_of(find_request(gateway.home, row_id))
    return [(one.number, one.deployment, one.outcome, one.status, one.failure) for one in tries]


@pytest.mark.parametrize("client", PROTOCOLS)
async def test_one_clean_answer_three_attempts_one_charge(tmp_path: Path, client: str) -> None:
    limited = failing(429, SLOW_DOWN, (("retry-after", "9"),))
    async with (
        WireServer(limited) as busy,
        WireServer(dying) as broken,
        WireServer(answering(MESSAGES)) as good,
        RunningGateway(tmp_path, config((CHAT, busy.url), (CHAT, broken.url), (MESSAGES, good.url))) as gateway,
    ):
        reply = await ask(gateway, client, stream=True)
        rows = await gateway.rows()
        again = await ask(gateway, client, stream=True)
        later = (await gateway.rows(2))[0]
        tries = told(rows[0].id, gateway)
        records = attempts_of(rows[0])
    assert (reply.status, told_text(client, reply), len(rows)) == (200, TEXT, 1)
    assert tries == [
        (1, f"lab0/{MODEL}", "failed", 429, "rate_limited"),
        (2, f"lab1/{MODEL}", "failed", None, "upstream_error"),
        (3, f"lab2/{MODEL}", "answered", 200, None),
    ]
    assert [one.credential for one in records] == ["lab0#default", "lab1#default", "lab2#default"]
    assert (records[0].reason, records[0].retry_after_s) == ("slow down", 9.0)
    assert (rows[0].attempts, rows[0].input_tokens, rows[0].output_tokens) == (3, 7, 3)
    assert {name: reply.headers[f"x-anykey-{name}"] for name in ("provider", "model", "deployment", "attempts")} == {
        "provider": "lab2",
        "model": MODEL,
        "deployment": f"lab2/{MODEL}",
        "attempts": "3",
    }
    # The one that named a time is left alone until then; the others are asked as before.
    assert (again.status, len(busy.calls), later.attempts) == (200, 1, 2)
    assert attempts_of(later)[0].outcome == "skipped"


async def test_when_all_rest_the_shortest_wait_is_told_and_nobody_is_asked(tmp_path: Path) -> None:
    async with (
        WireServer(failing(429, SLOW_DOWN, (("retry-after", "40"),))) as first,
        WireServer(failing(429, SLOW_DOWN, (("retry-after-ms", "20500"),))) as second,
        RunningGateway(tmp_path, config((CHAT, first.url), (CHAT, second.url))) as gateway,
    ):
        replies = [await ask(gateway, MESSAGES) for _ in range(3)]
        calls = (len(first.calls), len(second.calls))
        row = (await gateway.rows(3))[0]
    assert [reply.status for reply in replies] == [429] * 3
    assert {reply.headers["retry-after"] for reply in replies} <= {"20", "21"}
    assert calls == (1, 1)
    assert (row.attempts, row.failure) == (0, "rate_limited")
    assert [one.outcome for one in attempts_of(row)] == ["skipped", "skipped"]


@pytest.mark.parametrize("headers", [(), (("retry-after", "30"),)])
async def test_a_storm_of_rate_limits_is_not_made_worse(tmp_path: Path, headers: tuple[tuple[str, str], ...]) -> None:
    slow = failing(429, SLOW_DOWN, headers)
    async with (
        WireServer(slow) as first,
        WireServer(slow) as second,
        WireServer(slow) as third,
        RunningGateway(tmp_path, config((CHAT, first.url), (CHAT, second.url), (CHAT, third.url))) as gateway,
    ):
        gate = asyncio.Semaphore(8)

        async def one() -> WireReply:
            async with gate:
                return await ask(gateway, CHAT)

        replies = await asyncio.gather(*(one() for _ in range(200)))
        calls = sum(len(server.calls) for server in (first, second, third))
    assert {reply.status for reply in replies} == {429}
    assert calls <= 1.2 * 200


@pytest.mark.parametrize(
    ("status", "body"), [(401, BAD_KEY), (402, TROUBLE), (429, {"error": {"code": "insufficient_quota"}})]
)
async def test_a_refused_credential_is_never_the_clients_401(
    tmp_path: Path, status: int, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        WireServer(failing(status, body)) as bad,
        RunningGateway(tmp_path, config((CHAT, bad.url))) as gateway,
    ):
        with caplog.at_level(logging.ERROR):
            replies = [await ask(gateway, CHAT) for _ in range(4)]
        calls = len(bad.calls)
        await asyncio.sleep(0.1)
        settings = load_settings(
            {"LAB_KEY": "lab-secret", "ANYKEY_HOME": str(tmp_path / "home")}, tmp_path / "anykey.toml"
        )
        health = provider_health(gateway.home, settings.providers)
        enable(gateway.home, "lab0#default")
        bad.script = answering(CHAT)
        await asyncio.sleep(1.1)
        mended = await ask(gateway, CHAT)
    assert {reply.status for reply in replies} == {429 if status == 429 else 502}
    assert calls == 1
    assert sum("ALARM" in record.message for record in caplog.records) == 1
    assert [(view.credential, view.state) for view in health] == [("lab0#default", "disabled")]
    assert mended.status == 200


def two_keys(url: str) -> str:
    return f"""
[server]
environment_providers = false
[providers.lab0]
kind = "custom"
protocol = "{CHAT}"
base_url = "{url}/v1"
api_key = [{{ env = "KEY_A", label = "a" }}, {{ env = "KEY_B", label = "b" }}]
[models."test-model"]
deployments = ["lab0/{MODEL}"]
"""


@pytest.mark.parametrize("status", [401, 402, 429])
async def test_the_next_credential_of_the_same_deployment(tmp_path: Path, status: int) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        good = call.header("authorization") == "Bearer secret-b"
        await (answering(CHAT) if good else failing(status, BAD_KEY))(call, connection)

    keys = {"KEY_A": "secret-a", "KEY_B": "secret-b"}
    async with (
        WireServer(script) as server,
        RunningGateway(tmp_path, two_keys(server.url), environ=keys) as gateway,
    ):
        replies = [await ask(gateway, CHAT) for _ in range(12)]
        shown = [call.header("authorization") for call in server.calls]
    assert {reply.status for reply in replies} == {200}
    assert shown.count("Bearer secret-b") == 12
    assert shown.count("Bearer secret-a") == 1


async def test_an_open_circuit_lets_one_call_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.routing.health.OPEN_BASE_S", 0.3)
    held = asyncio.Event()

    async def slowly(call: RecordedCall, connection: WireConnection) -> None:
        await held.wait()
        await answering(CHAT)(call, connection)

    async with (
        WireServer(failing(500, TROUBLE)) as bad,
        WireServer(answering(CHAT)) as good,
        RunningGateway(tmp_path, config((CHAT, bad.url), (CHAT, good.url))) as gateway,
    ):
        for _ in range(9):
            assert (await ask(gateway, CHAT)).status == 200
        opened_after = len(bad.calls)
        bad.script = slowly
        await asyncio.sleep(0.5)
        probe = asyncio.create_task(ask(gateway, CHAT))
        await asyncio.sleep(0.1)
        others = [await ask(gateway, CHAT) for _ in range(5)]
        probes = len(bad.calls) - opened_after
        held.set()
        probed = await probe
        closed = await ask(gateway, CHAT)
    assert opened_after == 5
    assert probes == 1
    assert {reply.headers["x-anykey-provider"] for reply in others} == {"lab1"}
    assert (probed.headers["x-anykey-provider"], closed.headers["x-anykey-provider"]) == ("lab0", "lab0")


async def test_the_only_deployment_is_asked_though_its_circuit_is_open(tmp_path: Path) -> None:
    async with WireServer(failing(500, TROUBLE)) as bad, RunningGateway(tmp_path, config((CHAT, bad.url))) as gateway:
        for _ in range(8):
            assert (await ask(gateway, CHAT)).status == 502
        bad.script = answering(CHAT)
        mended = [await ask(gateway, CHAT) for _ in range(2)]
    assert [reply.status for reply in mended] == [200, 200]
    assert len(bad.calls) == 10


async def until(there: Callable[[], Any]) -> Any:
    """What `there` gives as soon as it gives something."""
    for _ in range(100):
        if found := there():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


async def test_health_is_visible_to_a_second_process(tmp_path: Path) -> None:
    async with (
        WireServer(failing(429, SLOW_DOWN, (("retry-after", "60"),))) as busy,
        WireServer(answering(CHAT)) as good,
        RunningGateway(tmp_path, config((CHAT, busy.url), (CHAT, good.url))) as gateway,
    ):
        await ask(gateway, CHAT)
        other = HealthShare(gateway.home.database)
        rows: list[HealthRow] = await until(lambda: other.look() or None)
        # And the other way round: what the second process found out is heeded here.
        other.drop("", rows[0].credential)
        await asyncio.sleep(1.1)
        await ask(gateway, CHAT)
        asked_again = len(busy.calls)
        other.close()
    assert [(row.deployment, row.state) for row in rows] == [("", "resting")]
    assert rows[0].credential.startswith("lab0#default ")
    assert asked_again == 2


async def test_a_failed_stream_is_not_charged(tmp_path: Path) -> None:
    async def starts(call: RecordedCall, connection: WireConnection) -> None:
        message: dict[str, Any] = {**whole(MESSAGES), "content": [], "usage": {"input_tokens": 500, "output_tokens": 1}}
        start: dict[str, Any] = {"type": "message_start", "message": message}
        await connection.sse_start()
        await connection.sse(f"event: message_start\ndata: {json.dumps(start)}\n\n")
        connection.reset()

    async with WireServer(starts) as server, RunningGateway(tmp_path, config((MESSAGES, server.url))) as gateway:
        reply = await ask(gateway, MESSAGES, stream=True)
        row = (await gateway.rows())[0]
    assert reply.status == 502
    assert (row.input_tokens, row.usage_source, row.attempts) == (0, "none", 1)
    assert [one.outcome for one in attempts_of(row)] == ["failed"]
    assert reply.headers["x-anykey-deployment"] == f"lab0/{MODEL}"
    assert reply.headers["x-anykey-trace-id"] == row.id


def scripts(*each: Script) -> Script:
    """One script after the other, call by call; the last one from then on."""
    left = list(each)

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(call, connection)

    return script


async def test_a_caller_s_mistake_is_nobodys_failure(tmp_path: Path) -> None:
    mistake = failing(400, {"error": {"message": "bad temperature", "type": "invalid_request_error"}})
    async with (
        WireServer(scripts(*[mistake] * 8, answering(CHAT))) as first,
        WireServer(answering(CHAT)) as second,
        RunningGateway(tmp_path, config((CHAT, first.url), (CHAT, second.url))) as gateway,
    ):
        refused = [await ask(gateway, CHAT) for _ in range(8)]
        reply = await ask(gateway, CHAT)
    assert {one.status for one in refused} == {400}
    assert (reply.headers["x-anykey-provider"], len(second.calls)) == ("lab0", 0)


async def test_a_config_asks_the_same_deployment_again(tmp_path: Path) -> None:
    retrying = {"provider": "lab0", "retry": {"attempts": 2, "on_status_codes": [503]}}
    async with (
        WireServer(scripts(failing(503, TROUBLE), failing(503, TROUBLE), answering(CHAT))) as server,
        RunningGateway(tmp_path, config((CHAT, server.url))) as gateway,
    ):
        headers = {**gateway.headers(), "x-anykey-config": json.dumps(retrying)}
        body = {"model": f"lab0/{MODEL}", "messages": [{"role": "user", "content": "hi"}]}
        reply = await gateway.post("/v1/chat/completions", body, headers)
        row = (await gateway.rows())[0]
        tries = told(row.id, gateway)
    assert (reply.status, reply.headers["x-anykey-attempts"]) == (200, "3")
    assert [(number, outcome, status) for number, _, outcome, status, _ in tries] == [
        (1, "failed", 503),
        (2, "failed", 503),
        (3, "answered", 200),
    ]


async def test_a_config_sets_fields_of_one_target_only(tmp_path: Path) -> None:
    targets = [{"provider": "lab0", "override_params": {"temperature": 0.5}}, {"provider": "lab1"}]
    chain = {"strategy": {"mode": "fallback", "on_status_codes": [500]}, "targets": targets}
    async with (
        WireServer(failing(500, TROUBLE)) as first,
        WireServer(answering(CHAT)) as second,
        RunningGateway(tmp_path, config((CHAT, first.url), (CHAT, second.url))) as gateway,
    ):
        headers = {**gateway.headers(), "x-anykey-config": json.dumps(chain)}
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "temperature": 1.0}
        reply = await gateway.post("/v1/chat/completions", body, headers)
        first.script = failing(503, TROUBLE)
        refused = await gateway.post("/v1/chat/completions", body, headers)
    assert (reply.status, reply.headers["x-anykey-provider"], refused.status) == (200, "lab1", 503)
    assert [call.json()["temperature"] for call in (*first.calls, *second.calls)] == [0.5, 0.5, 1.0]
