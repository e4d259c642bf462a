"""The journey as a whole: who may call, what is asked for, and the one row each call leaves."""

import asyncio
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.home import prepare_home
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, revoke_key, rotate_key
from anykey.exchange import steps
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PAIRS,
    PATHS,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    config,
    request,
    rows_left,
    told_text,
    wired,
)
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import WireServer


def error_of(reply: WireReply) -> dict[str, Any]:
    return reply.json()["error"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_call_from_end_to_end(tmp_path: Path, client: str, upstream: str, stream: bool) -> None:
    async with wired(tmp_path, upstream, answering(upstream)) as (gateway, server):
        headers = {**gateway.headers(), "user-agent": "claude-cli/2.1.329 (external, cli)"}
        reply = await gateway.post(PATHS[client], request(client, stream=stream), headers)
        rows = await rows_left(gateway)
    assert (reply.status, told_text(client, reply), reply.complete) == (200, TEXT, True)
    sent = server.calls[0]
    assert (sent.target, sent.json()["model"]) == (PATHS[upstream], "upstream-model")
    (row,) = rows
    assert row.id == reply.headers["x-anykey-request-id"]
    assert reply.headers["x-request-id" if client == CHAT else "request-id"] == row.id
    assert reply.headers["x-anykey-deployment"] == row.deployment == "lab0/upstream-model"
    assert (row.client, row.client_protocol, row.upstream_protocol) == ("claude-code", client, upstream)
    assert (row.provider, row.model_asked, row.model_answered) == ("lab0", "test-model", "upstream-model")
    assert (row.input_tokens, row.output_tokens, row.usage_source) == (7, 3, "upstream")
    assert (row.status, row.stream, row.attempts, row.failure) == (200, stream, 1, None)
    assert row.finish in {"stop", "end_turn"}
    assert (row.first_token_ms is not None) is stream
    assert 0 <= row.total_ms < 5000


async def test_a_key_is_taken_from_either_header(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        key = gateway.key
        ways: list[dict[str, str]] = [
            {"authorization": f"Bearer {key}"},
            {"authorization": f"bearer  {key} "},
            {"Authorization": f"BEARER {key}"},
            {"x-api-key": key},
            {"x-api-key": key, "authorization": "Bearer something-else"},
            {"x-goog-api-key": key},
            {"authorization": f"Bearer {key}", "x-goog-api-key": key},
        ]
        for headers in ways:
            for protocol in PROTOCOLS:
                reply = await gateway.post(PATHS[protocol], request(protocol), headers)
                assert reply.status == 200, headers


async def test_without_a_good_key_nothing_is_called_and_no_row_is_left(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        other = create_key(prepare_home(tmp_path / "other"), "foreign").text
        wrong = gateway.key[:-1] + ("a" if gateway.key[-1] != "a" else "b")
        cases: list[tuple[dict[str, str], str]] = [
            ({}, "No API key was sent"),
            ({"authorization": "Basic YTpi"}, "No API key was sent"),
            ({"authorization": "Bearer "}, "not a key of this gateway"),
            ({"authorization": "Bearer sk-1234"}, "not a key of this gateway"),
            ({"authorization": f"Bearer {wrong}"}, "not a key of this gateway"),
            ({"x-api-key": "ak-\xff\xfe"}, "not a key of this gateway"),
            ({"x-api-key": "' OR 1=1 --"}, "not a key of this gateway"),
            ({"x-api-key": other}, "is not known here"),
        ]
        for headers, message in cases:
            for protocol in PROTOCOLS:
                reply = await gateway.post(PATHS[protocol], request(protocol), headers)
                error = error_of(reply)
                assert reply.status == 401, headers
                assert message in error["message"]
                assert reply.headers["x-should-retry"] == "false"
                if protocol == MESSAGES:
                    assert (reply.json()["type"], error["type"]) == ("error", "authentication_error")
                    assert reply.headers["request-id"] == reply.json()["request_id"]
                else:
                    assert error["code"] == "invalid_api_key"
                    assert reply.headers["x-request-id"]
                assert wrong not in reply.body.decode()
        assert await rows_left(gateway) == []
    assert server.calls == []


async def test_keys_that_another_process_makes_and_revokes_count_at_once(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        environ = {**os.environ, "ANYKEY_HOME": str(tmp_path / "home")}

        async def anykey(*arguments: str) -> str:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "anykey", *arguments, env=environ, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            assert process.returncode == 0
            return out.decode()

        made = json.loads(await anykey("keys", "create", "--name", "elsewhere", "--json"))
        headers = {"authorization": f"Bearer {made['key']}"}
        assert (await gateway.post(PATHS[CHAT], request(CHAT), headers)).status == 200
        revoke_key(prepare_home(tmp_path / "home"), made["id"])
        reply = await gateway.post(PATHS[CHAT], request(CHAT), headers)
        rows = await gateway.rows()
    assert (reply.status, len(server.calls)) == (401, 1)
    assert "was revoked" in error_of(reply)["message"]
    assert rows[0].key_id == made["id"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_unknown_model_is_404_and_leaves_a_row(tmp_path: Path, protocol: str) -> None:
    async with WireServer(answering(CHAT)) as server:
        two = config((CHAT, server.url), (CHAT, server.url))
        async with RunningGateway(tmp_path, two) as gateway:
            reply = await ask(gateway, protocol, model="test-modle")
            row = (await gateway.rows())[0]
    assert reply.status == 404
    assert "Did you mean 'test-model'?" in error_of(reply)["message"]
    if protocol == CHAT:
        assert (error_of(reply)["code"], error_of(reply)["param"]) == ("model_not_found", "model")
    else:
        assert error_of(reply)["type"] == "not_found_error"
    assert (row.status, row.failure, row.attempts, row.provider) == (404, "model_not_found", 0, None)
    assert row.model_asked == "test-modle"
    assert server.calls == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_name_of_a_model_spoils_the_rows(tmp_path: Path, protocol: str) -> None:
    two = config((CHAT, "http://127.0.0.1:9"), (CHAT, "http://127.0.0.1:9"))
    surrogate = json.dumps(request(protocol)).replace('"test-model"', r'"\ud800"').encode()
    async with RunningGateway(tmp_path, two) as gateway:
        for body in (request(protocol, model="m" * 100_000), surrogate, request(protocol, model="a\x00b\n")):
            reply = await gateway.post(PATHS[protocol], body)
            assert reply.status in {400, 404}
        await ask(gateway, protocol, model="the-last-one")
        rows = await rows_left(gateway)
    assert rows[0].model_asked == "the-last-one"
    assert all(len(row.model_asked) <= 1024 for row in rows)


async def test_a_fault_of_our_own_is_500_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret place")

    monkeypatch.setattr(steps, "attempt_in_order", broken)
    async with RunningGateway(tmp_path, config((CHAT, "http://127.0.0.1:9"))) as gateway:
        with caplog.at_level(logging.ERROR):
            replies = [await ask(gateway, protocol) for protocol in PROTOCOLS]
        row = (await gateway.rows())[0]
    for reply in replies:
        assert reply.status == 500
        assert b"secret place" not in reply.body
        assert reply.headers["x-anykey-request-id"] in caplog.text
    assert (row.status, row.failure) == (500, "internal")


async def test_each_of_many_calls_leaves_its_own_row(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        replies = await asyncio.gather(*(ask(gateway, CHAT, stream=bool(number % 2)) for number in range(40)))
        rows = await rows_left(gateway)
    assert sorted(row.id for row in rows) == sorted(reply.headers["x-anykey-request-id"] for reply in replies)


async def test_an_empty_header_does_not_hide_the_key_in_the_other(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        reply = await gateway.post(PATHS[CHAT], request(CHAT), {**gateway.headers(), "x-api-key": ""})
    assert reply.status == 200


async def test_a_key_ends_by_the_clock_alone_and_an_old_secret_too(tmp_path: Path) -> None:
    """Nothing changes in the database at that moment, so what was verified must not be remembered beyond it."""
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        short = create_key(gateway.home, "short", fields=KeyFields(expires_at=int(time.time()) + 2)).text
        old = create_key(gateway.home, "turned")
        new = rotate_key(gateway.home, old.key.id, overlap_s=2).text

        async def told(key: str) -> tuple[int, str]:
            reply = await gateway.post(PATHS[CHAT], request(CHAT), {"x-api-key": key})
            return reply.status, "" if reply.status == 200 else error_of(reply)["message"]

        assert [status for status, _ in [await told(key) for key in (short, old.text, new)]] == [200, 200, 200]
        await asyncio.sleep(2.1)
        status, message = await told(short)
        assert status == 401
        assert "has expired" in message
        status, message = await told(old.text)
        assert status == 401
        assert "is not known here" in message
        assert await told(new) == (200, "")
