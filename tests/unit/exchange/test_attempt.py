"""From deployment to deployment until one answers, and what a client hears when none does."""

import json
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.requests import attempts_of
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    MODEL,
    PAIRS,
    PATHS,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    config,
    failing,
    pieces,
    request,
    told_text,
    wired,
)
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

SPOKEN = "messages.0.content: the secret word is plugh"


def error_body(protocol: str, message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": message}
    return {"error": {**error, "param": "p", "code": "c"}} if protocol == CHAT else {"type": "error", "error": error}


async def dying(call: RecordedCall, connection: WireConnection) -> None:
    """Begins an answer of the protocol it is called in, and dies before any content."""
    protocol = CHAT if call.target.endswith("completions") else MESSAGES
    await connection.sse_start()
    await connection.sse(*pieces(protocol).lifecycle)
    connection.reset()


@pytest.mark.parametrize("client", PROTOCOLS)
async def test_three_deployments_in_order(tmp_path: Path, client: str) -> None:
    async with (
        WireServer(failing(429, error_body(client, "slow down"))) as busy,
        WireServer(dying) as broken,
        WireServer(answering(MESSAGES)) as good,
    ):
        doors = config((client, busy.url), (CHAT, broken.url), (MESSAGES, good.url))
        async with RunningGateway(tmp_path, doors) as gateway:
            reply = await ask(gateway, client, stream=True)
            row = (await gateway.rows())[0]
    assert (reply.status, told_text(client, reply)) == (200, TEXT)
    assert [len(server.calls) for server in (busy, broken, good)] == [1, 1, 1]
    assert reply.headers["x-anykey-deployment"] == "lab2/upstream-model"
    assert (row.attempts, row.provider, row.upstream_protocol, row.failure) == (3, "lab2", MESSAGES, None)
    assert (row.input_tokens, row.output_tokens) == (7, 3)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 529])
async def test_what_another_deployment_may_do_better(tmp_path: Path, status: int) -> None:
    async with (
        WireServer(failing(status, error_body(CHAT, "no"))) as bad,
        WireServer(answering(CHAT)) as good,
        RunningGateway(tmp_path, config((CHAT, bad.url), (CHAT, good.url))) as gateway,
    ):
        assert (await ask(gateway, CHAT)).status == 200
        row = (await gateway.rows())[0]
    assert (row.attempts, row.failure, len(bad.calls)) == (2, None, 1)


async def test_what_no_deployment_can_do_better(tmp_path: Path) -> None:
    async with (
        WireServer(answering(CHAT)) as bad,
        WireServer(answering(CHAT)) as good,
        RunningGateway(tmp_path, config((CHAT, bad.url), (CHAT, good.url))) as gateway,
    ):
        for status in (400, 413, 422):
            bad.script = failing(status, error_body(CHAT, "no"))
            assert (await ask(gateway, CHAT)).status == status
    assert good.calls == []


@pytest.mark.parametrize("status", [400, 404, 413, 422])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refused_request_is_passed_on_word_for_word(tmp_path: Path, protocol: str, status: int) -> None:
    words = b" " + json.dumps({**error_body(protocol, SPOKEN), "x_new": [1.50]}, indent=1).encode()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(status, [("content-type", "application/json"), ("content-length", str(len(words)))])
        await connection.write(words)

    async with wired(tmp_path, protocol, script) as (gateway, _):
        reply = await ask(gateway, protocol, stream=True)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.body) == (status, words)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-anykey-request-id"] == row.id
    assert (row.status, row.failure is not None) == (status, True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), [pair for pair in PAIRS if pair[0] != pair[1]])
async def test_its_message_reaches_a_client_of_the_other_protocol(
    tmp_path: Path, client: str, upstream: str, stream: bool
) -> None:
    async with wired(tmp_path, upstream, failing(400, error_body(upstream, SPOKEN))) as (gateway, _):
        reply = await ask(gateway, client, stream=stream)
    assert reply.status == 400
    assert SPOKEN in reply.json()["error"]["message"]
    assert reply.json()["error"]["type"] == "invalid_request_error"


BROKEN_ERRORS = [
    b"<html>Bad Request</html>",
    b"",
    b"{broken",
    b'{"detail":"x"}',
    b'{"error":null}',
    b'{"error":"\xff"}',
]


@pytest.mark.parametrize("body", BROKEN_ERRORS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_400_that_is_no_json_becomes_the_protocols_error(tmp_path: Path, protocol: str, body: bytes) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(400, [("content-length", str(len(body)))])
        await connection.write(body)

    async with wired(tmp_path, protocol, script) as (gateway, _):
        reply = await ask(gateway, protocol)
    assert reply.status == 400
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_refused_credential_is_502_without_a_word_of_it(
    tmp_path: Path, client: str, upstream: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    told = error_body(upstream, "Incorrect API key provided: lab-secret of org-77", "authentication_error")
    async with wired(tmp_path, upstream, failing(status, told)) as (gateway, _):
        reply = await ask(gateway, client)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.headers["x-should-retry"]) == (502, "false")
    for secret in (b"lab-secret", b"org-77"):
        assert secret not in reply.body
        assert secret.decode() not in caplog.text
    assert (row.status, row.failure) == (502, "upstream_refused_credential")


async def test_an_empty_account_is_not_told_in_the_upstreams_words(tmp_path: Path) -> None:
    """Anthropic says it with a 400, which would else be passed on word for word."""
    body = error_body(MESSAGES, "Your credit balance is too low to access the API. Go to Plans & Billing.")
    async with wired(tmp_path, MESSAGES, failing(400, body)) as (gateway, _):
        reply = await ask(gateway, MESSAGES)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.headers["x-should-retry"]) == (429, "false")
    assert b"credit balance" not in reply.body
    assert row.failure == "quota_exhausted"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_retry_after_is_passed_on(tmp_path: Path, client: str, upstream: str) -> None:
    told = error_body(upstream, "too many", "rate_limit_error")
    async with wired(tmp_path, upstream, failing(429, told, (("retry-after", "17"),))) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.headers["retry-after"]) == (429, "17")
    assert reply.json()["error"]["message"]
    assert (row.failure, row.attempts) == ("rate_limited", 1)


@pytest.mark.parametrize("client", PROTOCOLS)
async def test_the_network_as_a_status(tmp_path: Path, client: str) -> None:
    async def silent(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async def moved(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(302, [("location", "http://127.0.0.1:1/"), ("content-length", "0")])

    async def rude(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    async def foreign(_: RecordedCall, connection: WireConnection) -> None:
        await connection.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    async def short(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(200, [("content-type", "application/json"), ("content-length", "100")])
        await connection.write(b'{"id":')
        connection.close()

    async def page(_: RecordedCall, connection: WireConnection) -> None:
        body = b"<html><body>Welcome</body></html>"
        await connection.head(200, [("content-type", "text/html"), ("content-length", str(len(body)))])
        await connection.write(body)

    async with wired(tmp_path, client, silent, first_byte_s=0.1) as (gateway, server):
        for script, status in ((silent, 504), (moved, 502), (rude, 502), (foreign, 502), (short, 502), (page, 502)):
            server.script = script
            for stream in (False, True):
                reply = await ask(gateway, client, stream=stream)
                assert (reply.status, bool(reply.json()["error"]["message"])) == (status, True), script.__name__
                assert str(server.port) not in reply.body.decode()
        rows = await gateway.rows(12)
    assert [row.failure for row in reversed(rows)] == ["upstream_timeout"] * 2 + ["upstream_error"] * 10


async def test_an_unreachable_deployment_leads_to_the_next(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as gone:
        nowhere = gone.url
    async with WireServer(answering(CHAT)) as good:
        async with RunningGateway(tmp_path, config((CHAT, nowhere), (CHAT, good.url))) as gateway:
            reply = await ask(gateway, CHAT)
        (tmp_path / "alone").mkdir()
        async with RunningGateway(tmp_path / "alone", config((CHAT, nowhere))) as gateway:
            refused = await ask(gateway, CHAT)
    assert (reply.status, refused.status) == (200, 502)


async def test_the_last_failure_is_the_one_that_is_told(tmp_path: Path) -> None:
    async with (
        WireServer(failing(503, error_body(CHAT, "first"))) as first,
        WireServer(failing(429, error_body(CHAT, "second"), (("retry-after", "3"),))) as second,
        RunningGateway(tmp_path, config((CHAT, first.url), (CHAT, second.url))) as gateway,
    ):
        reply = await ask(gateway, CHAT)
        row = (await gateway.rows())[0]
    assert (reply.status, reply.headers["retry-after"]) == (429, "3")
    assert (row.attempts, row.provider, row.failure) == (2, "lab1", "rate_limited")


async def test_an_error_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(500, [("transfer-encoding", "chunked")])
        for _i in range(200):
            await connection.sse(b"e" * 65536)

    async with wired(tmp_path, CHAT, script) as (gateway, _):
        reply = await ask(gateway, CHAT)
    assert reply.status == 502
    assert len(reply.body) < 2000


async def test_losses_are_counted_in_a_header(tmp_path: Path) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, _):
        odd = {"x\r\nset-cookie: a=b": 1, "é": 2}
        plain = await ask(gateway, CHAT)
        lossy = await ask(gateway, CHAT, stream=True, logit_bias={"1": 5}, **odd)
        row = (await gateway.rows())[0]
    assert "x-anykey-losses" not in plain.headers
    assert "logit_bias" in lossy.headers["x-anykey-losses"]
    assert "set-cookie" not in lossy.headers
    assert any("logit_bias" in loss for loss in row.losses)


async def strictly(gateway: RunningGateway) -> WireReply:
    """A Messages call with ``top_k`` that must lose nothing."""
    headers = {**gateway.headers(), "x-anykey-strict": "true"}
    return await gateway.post(PATHS[MESSAGES], request(MESSAGES, top_k=5), headers)


async def test_a_deployment_that_cannot_be_asked_leads_to_the_next(tmp_path: Path) -> None:
    """Strict: the first model would lose ``top_k``, the second takes it."""
    async with WireServer(answering(CHAT)) as lossy, WireServer(answering(MESSAGES)) as whole:
        doors = config((CHAT, lossy.url), (MESSAGES, whole.url))
        async with RunningGateway(tmp_path, doors) as gateway:
            reply = await strictly(gateway)
    assert (reply.status, len(lossy.calls), len(whole.calls)) == (200, 0, 1)
    assert whole.calls[0].json()["top_k"] == 5


async def test_what_an_upstream_said_is_told_before_what_could_not_be_asked(tmp_path: Path) -> None:
    slow = failing(429, error_body(MESSAGES, "slow down"))
    async with WireServer(slow) as busy, WireServer(answering(CHAT)) as lossy:
        doors = config((MESSAGES, busy.url), (CHAT, lossy.url))
        async with RunningGateway(tmp_path, doors) as gateway:
            reply = await strictly(gateway)
    assert (reply.status, len(busy.calls), len(lossy.calls)) == (429, 1, 0)


@pytest.mark.parametrize("verbatim", [False, True])
async def test_an_error_names_whose_it_is(tmp_path: Path, verbatim: bool) -> None:
    """The first failure is told, though the second deployment was tried after it."""

    async def breaks(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    told = failing(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})
    first = told if verbatim else failing(429, error_body(CHAT, "slow down"), (("retry-after", "3"),))
    async with WireServer(first) as one, WireServer(breaks) as two:
        doors = config((CHAT, one.url), (CHAT, two.url))
        if verbatim:
            doors = doors.replace(f', "lab1/{MODEL}"', "") + f'larger = ["lab1/{MODEL}"]\n'
        async with RunningGateway(tmp_path, doors) as gateway:
            reply = await ask(gateway, CHAT)
            row = (await gateway.rows())[0]
    assert (reply.status, len(two.calls)) == (400 if verbatim else 429, 1)
    named = [reply.headers[f"x-anykey-{name}"] for name in ("provider", "model", "deployment", "attempts")]
    assert named == ["lab0", MODEL, f"lab0/{MODEL}", "2"]
    assert (row.provider, row.deployment, row.attempts) == ("lab0", f"lab0/{MODEL}", 2)
    assert [one.deployment for one in attempts_of(row)] == [f"lab0/{MODEL}", f"lab1/{MODEL}"]
