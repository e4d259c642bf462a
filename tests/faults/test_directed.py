"""Calls that say of themselves where they go and what they are, through a running gateway, judged by the bytes upstream."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anykey.administration.configs import put_config
from anykey.administration.home import prepare_home
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PAIRS,
    PATHS,
    TEXT,
    answering,
    config,
    failing,
    request,
    rows_left,
    told_text,
)
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import WireServer

OURS = {
    "x-anykey-metadata": '{"team": "search"}',
    "x-anykey-trace-id": "trace-7",
    "x-anykey-provider": "lab0",
    "x-anykey-timeout": "30000",
    "x-portkey-api-key": "not-ours",
    "x-portkey-trace-id": "theirs",
    "x-portkey-virtual-key": "x",
    "x-portkey-whatever": "x",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


class Lab(NamedTuple):
    """A gateway with two deployments behind `test-model`; the first fails unless it is said otherwise."""

    gateway: RunningGateway
    first: WireServer
    second: WireServer

    async def ask(self, headers: dict[str, str] | None = None, protocol: str = CHAT, **more: Any) -> WireReply:
        """One call with these headers beside the usual ones."""
        body = request(protocol, **more)
        return await self.gateway.post(PATHS[protocol], body, {**self.gateway.headers(), **(headers or {})})


@asynccontextmanager
async def laboratory(
    directory: Path, upstream: str = CHAT, *, first_fails: bool = False, extra: str = ""
) -> AsyncGenerator[Lab]:
    script = failing(503, {"error": {"message": "no"}}) if first_fails else answering(upstream)
    async with WireServer(script) as first, WireServer(answering(upstream)) as second:
        text = config((upstream, first.url), (upstream, second.url)) + extra.replace("{second}", second.url)
        async with RunningGateway(directory, text) as gateway:
            yield Lab(gateway, first, second)


def make_admin(lab: Lab) -> None:
    """Give the test's key the right to name hosts."""
    with sqlite3.connect(lab.gateway.home.path / "anykey.db") as connection:
        connection.execute("UPDATE api_keys SET admin = 1")
        connection.execute("UPDATE key_generation SET value = value + 1")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_metadata_and_trace_are_kept_and_stay_here(
    tmp_path: Path, client: str, upstream: str, stream: bool
) -> None:
    body_metadata = {"user_id": "u-1"} if client == MESSAGES else {"team": "body", "run": "7"}
    async with laboratory(tmp_path, upstream) as lab:
        reply = await lab.ask(OURS, client, stream=stream, metadata=body_metadata)
        (row,) = await rows_left(lab.gateway)
    assert told_text(client, reply) == TEXT
    assert reply.headers["x-anykey-trace-id"] == row.trace_id == "trace-7"
    assert row.metadata is not None
    assert json.loads(row.metadata) == body_metadata | {"team": "search"}
    names = {name.lower() for name, _ in lab.first.calls[0].headers}
    assert {name for name in names if name.startswith(("x-anykey", "x-portkey", "trace"))} == set()
    assert b"trace-7" not in lab.first.calls[0].body


async def test_without_a_trace_id_the_request_is_its_own(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.ask()
        (row,) = await rows_left(lab.gateway)
    assert reply.headers["x-anykey-trace-id"] == reply.headers["x-anykey-request-id"] == row.trace_id
    assert row.metadata is None


async def test_w3c_trace_context_is_heard(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.ask({"traceparent": OURS["traceparent"]})
    assert reply.headers["x-anykey-trace-id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_refusal_tells_the_trace_too(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.gateway.post(
            PATHS[CHAT],
            {**request(CHAT), "model": "lab0x/none"},
            {**lab.gateway.headers(), "x-portkey-trace-id": "t-1"},
        )
    assert reply.status in {400, 404}
    assert reply.headers["x-anykey-trace-id"] == "t-1"


async def test_an_inline_config_is_followed(tmp_path: Path) -> None:
    """The SDK of Portkey sends what its user wrote as a config, and the key where only it looks."""
    config_of_client = {
        "strategy": {"mode": "fallback"},
        "override_params": {"temperature": 0.25, "top_p": None},
        "targets": [
            {"provider": "@lab0", "override_params": {"model": "m-0"}},
            {"provider": "@lab1", "override_params": {"model": "m-1"}},
        ],
    }
    async with laboratory(tmp_path, first_fails=True) as lab:
        headers = {
            "x-portkey-config": json.dumps(config_of_client),
            "x-portkey-api-key": lab.gateway.key,
            "authorization": "Bearer OPENAI_API_KEY",
        }
        reply = await lab.ask(headers, top_p=0.5, temperature=1)
        (row,) = await rows_left(lab.gateway)
    assert (reply.status, told_text(CHAT, reply)) == (200, TEXT)
    assert [call.json()["model"] for call in (*lab.first.calls, *lab.second.calls)] == ["m-0", "m-1"]
    for call in (*lab.first.calls, *lab.second.calls):
        assert call.json()["temperature"] == 0.25
        assert "top_p" not in call.json()
    assert (row.attempts, row.deployment) == (2, "lab1/m-1")


async def test_a_stored_config_decides_by_metadata(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    by_plan = {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"metadata.plan": "paid"}, "then": "b"}, {"when": "max_tokens == 7", "then": "b"}],
            "default": "a",
        },
        "targets": [{"name": "a", "provider": "lab0"}, {"name": "b", "provider": "lab1"}],
    }
    put_config(home, "by-plan", json.dumps(by_plan).encode())
    async with laboratory(tmp_path) as lab:
        said = {"x-anykey-config": "by-plan@1"}
        paid = {**said, "x-anykey-metadata": '{"plan": "paid"}'}
        replies = [
            await lab.ask(said),
            await lab.ask(paid),
            await lab.ask(said, max_tokens=7),
            await lab.ask(said, metadata={"plan": "paid"}),
            await lab.ask(said, metadata={"plan": "free"}),
        ]
    assert [reply.status for reply in replies] == [200] * 5
    assert (len(lab.first.calls), len(lab.second.calls)) == (2, 3)


async def test_a_provider_is_chosen_by_header(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.gateway.post(
            PATHS[CHAT], {**request(CHAT), "model": "m-9"}, {**lab.gateway.headers(), "x-portkey-provider": "@lab1"}
        )
    assert reply.status == 200
    assert [call.json()["model"] for call in lab.second.calls] == ["m-9"]


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("x-anykey-metadata", "[]", 400),
        ("x-portkey-metadata", "{", 400),
        ("x-anykey-trace-id", "a b", 400),
        ("x-anykey-config", "no-such", 400),
        ("x-portkey-config", '{"targets": [{"weight": -1}]}', 400),
        ("x-anykey-config", '{"custom_host": "https://example.com"}', 403),
        ("x-portkey-custom-host", "https://example.com", 403),
    ],
)
async def test_a_bad_header_is_told_in_the_callers_protocol(
    tmp_path: Path, protocol: str, header: str, value: str, status: int
) -> None:
    async with laboratory(tmp_path) as lab:
        reply = await lab.ask({header: value}, protocol)
    assert reply.status == status
    assert header.removeprefix("x-portkey-").removeprefix("x-anykey-") in reply.json()["error"]["message"]
    assert lab.first.calls == lab.second.calls == []


async def test_an_admin_does_not_reach_into_the_network(tmp_path: Path) -> None:
    async with laboratory(tmp_path) as lab:
        make_admin(lab)
        for host in ("https://127.0.0.1", "http://example.com", lab.first.url, "https://169.254.169.254/latest"):
            assert (await lab.ask({"x-portkey-custom-host": host})).status == 400
            inline = json.dumps({"custom_host": host})
            assert (await lab.ask({"x-anykey-config": inline})).status == 400
        reply = await lab.ask({"x-portkey-custom-host": "https://localtest.invalid/v1"})
        assert reply.status >= 500
    assert lab.first.calls == lab.second.calls == []


@pytest.mark.parametrize(
    ("protocol", "header", "shown"),
    [(CHAT, "authorization", "Bearer sk-of-the-caller"), (MESSAGES, "x-api-key", "sk-of-the-caller")],
)
async def test_a_host_of_the_operators_gets_no_credential_but_the_callers(
    tmp_path: Path, protocol: str, header: str, shown: str
) -> None:
    own = '[configs.own]\ncustom_host = "{second}/v1"\n'
    async with laboratory(tmp_path, protocol, extra=own) as lab:
        assert (await lab.ask({"x-anykey-config": "own"}, protocol)).status == 200
        keyed = {"x-anykey-config": "own", "x-anykey-upstream-key": "sk-of-the-caller"}
        assert (await lab.ask(keyed, protocol)).status == 200
        rows = await rows_left(lab.gateway)
    bare, with_key = lab.second.calls
    assert bare.header(header) is None
    assert with_key.header(header) == shown
    assert b"sk-of-the-caller" not in with_key.body
    assert "lab-secret" not in str([call.headers for call in lab.second.calls])
    assert lab.gateway.key not in str([call.headers for call in lab.second.calls])
    assert lab.first.calls == []
    assert "sk-of-the-caller" not in str(rows)
