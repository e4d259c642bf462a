"""Every route as a client sees it: paths, methods, shapes, limits."""

import asyncio
import gzip
import json
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard

from anykey.server import body as body_module
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PATHS,
    PROTOCOLS,
    answering,
    ask,
    config,
    request,
    rows_left,
    whole,
    wired,
)
from tests.fakes.gateway import RunningGateway, read_reply
from tests.fakes.wire import reply_json

NOWHERE = config((CHAT, "http://127.0.0.1:9"))
ANTHROPIC = {"anthropic-version": "2023-06-01"}


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a refused client is listened to."""
    monkeypatch.setattr(body_module, "DRAIN_S", 0.1)


def deep(protocol: str, depth: int) -> bytes:
    """A request with arrays `depth` deep in an unknown field."""
    return json.dumps(request(protocol)).encode()[:-1] + b', "x":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_however_the_base_url_was_joined(tmp_path: Path, protocol: str) -> None:
    canonical = PATHS[protocol]
    async with wired(tmp_path, protocol, answering(protocol)) as (gateway, server):
        for path in (
            f"/v1{canonical}",
            canonical.removeprefix("/v1"),
            f"/openai{canonical}",
            f"/anthropic{canonical}/",
        ):
            reply = await gateway.post(path + "?beta=true", request(protocol))
            assert (reply.status, reply.headers["x-anykey-canonical-path"]) == (200, canonical), path
        straight = await gateway.post(canonical + "?beta=true", request(protocol))
    assert "x-anykey-canonical-path" not in straight.headers
    assert {call.target for call in server.calls} == {canonical}


@pytest.mark.parametrize("path", ["/v2/messages", "/v1", "/v1/embeddings", "/favicon.ico", "/v1/messages/batches"])
async def test_an_unknown_path_says_what_the_base_url_is(tmp_path: Path, path: str) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for method in ("GET", "POST"):
            reply = await gateway.request(method, path, b"{}", {})
            message = reply.json()["error"]["message"]
            assert reply.status == 404
            assert f"{method} {path}" in message
            assert f"{gateway.url}/v1 " in message
            assert ("type" in reply.json()) is ("messages" in path)


async def test_a_wrong_method_is_405(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for method, path, right in (
            ("GET", "/v1/messages", "POST"),
            ("DELETE", "/v1/chat/completions", "POST"),
            ("PUT", "/v1/messages/count_tokens", "POST"),
            ("POST", "/v1/models", "GET"),
            ("POST", "/livez", "GET"),
        ):
            reply = await gateway.request(method, path, b"", gateway.headers())
            assert reply.status == 405, path
            assert f"use {right}" in reply.json()["error"]["message"]
            assert reply.headers["allow"] == right


async def test_what_answers_anybody(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for path in ("/", "/api/hello", "/livez", "/readyz"):
            reply = await gateway.get(path, {})
            assert (reply.status, reply.json()["status"]) == (200, "ok"), path
            head = await gateway.request("HEAD", path, b"", {})
            assert (head.status, head.headers["content-length"]) == (200, str(len(reply.body))), path


async def test_the_models_in_the_callers_shape(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        openai = await gateway.get("/v1/models", gateway.headers())
        anthropic = await gateway.get("/v1/models?limit=1", {**ANTHROPIC, "x-api-key": gateway.key})
        one = await gateway.get("/models/test-model", gateway.headers())
        missing = await gateway.get("/v1/models/no%2Fsuch", {**ANTHROPIC, **gateway.headers()})
        head = await gateway.request("HEAD", "/v1/models", b"", gateway.headers())
    assert openai.json()["object"] == "list"
    assert openai.json()["data"][0] | {"created": 0} == {
        "id": "test-model",
        "object": "model",
        "created": 0,
        "owned_by": "custom",
        "protocols": ["openai_chat"],
    }
    assert (anthropic.json()["data"][0]["type"], anthropic.json()["first_id"]) == ("model", "test-model")
    assert (one.json()["id"], one.headers["x-anykey-canonical-path"]) == ("test-model", "/v1/models/test-model")
    assert (missing.status, missing.json()["error"]["type"]) == (404, "not_found_error")
    assert (head.status, int(head.headers["content-length"])) == (200, len(openai.body))


async def test_a_key_is_shown_only_what_it_may_ask_for(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        free = await gateway.get("/v1/models", gateway.headers())
        with closing(gateway.home.database.connect()) as database:
            database.execute("UPDATE api_keys SET allowed_models = '[\"lab/*\"]'")
            database.execute("UPDATE key_generation SET value = value + 1")
        capped = await gateway.get("/v1/models", gateway.headers())
        hidden = await gateway.get("/v1/models/test-model", gateway.headers())
    assert "test-model" in [row["id"] for row in free.json()["data"]]
    assert all(row["id"].startswith("lab/") for row in capped.json()["data"])
    assert hidden.status == 404


async def test_the_models_in_googles_shape(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        google = {"x-goog-api-key": gateway.key}
        for path, headers in (
            ("/v1beta/models", gateway.headers()),
            ("/v1/models", google),
            (f"/v1beta/models?key={gateway.key}&pageSize=1", {}),
            (f"/v1/models?key={gateway.key}", {}),
        ):
            reply = await gateway.get(path, headers)
            assert reply.json()["models"][0]["name"] == "models/test-model", path
        one = await gateway.get("/v1beta/models/test-model", google)
        missing = await gateway.get("/v1beta/models/nothing", google)
        stranger = await gateway.get("/v1beta/models?key=ak-no", {})
        codex = await gateway.get("/v1/models?client_version=0.169.0", gateway.headers())
    assert one.json()["name"] == "models/test-model"
    assert (missing.status, missing.json()["error"]["code"]) == (404, 404)
    assert (stranger.status, stranger.json()["error"]["code"]) == (401, 401)
    assert codex.json()["object"] == "list"


async def test_a_model_list_has_a_request_id(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        openai = await gateway.get("/v1/models", gateway.headers())
        anthropic = await gateway.get("/v1/models", {**ANTHROPIC, **gateway.headers()})
    assert openai.headers["x-request-id"] == openai.headers["x-anykey-request-id"]
    assert anthropic.headers["request-id"].startswith("req_")


async def test_googles_other_calls_are_501(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for verb in ("embedContent", "batchEmbedContents", "predict", "predictLongRunning"):
            reply = await gateway.post(f"/v1beta/models/x:{verb}", {"content": {}})
            assert (reply.status, reply.json()["error"]["status"]) == (501, "UNIMPLEMENTED"), verb


PACKED = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_body_may_come_compressed(tmp_path: Path, protocol: str, encoding: str) -> None:
    async with wired(tmp_path, protocol, answering(protocol)) as (gateway, server):
        body = PACKED[encoding](json.dumps(request(protocol)).encode())
        reply = await gateway.post(PATHS[protocol], body, {**gateway.headers(), "content-encoding": encoding})
    assert reply.json() == whole(protocol)
    assert server.calls[0].header("content-encoding") is None
    assert server.calls[0].json()["messages"] == request(protocol)["messages"]


async def test_a_compressed_body_has_the_same_limit(tmp_path: Path) -> None:
    small = NOWHERE.replace("[server]", "[server]\nmax_body_bytes = 1000")
    async with RunningGateway(tmp_path, small) as gateway:
        for body, status in ((gzip.compress(b"x" * 1001), 413), (b"\x1f\x8b broken", 400)):
            reply = await gateway.post("/v1/messages", body, {**gateway.headers(), "content-encoding": "gzip"})
            assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert "content-encoding" in reply.json()["error"]["message"]


async def test_a_strangers_body_is_not_opened(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        reply = await gateway.post("/v1/messages", b"broken", {"content-encoding": "gzip"})
    assert reply.status == 401


async def test_what_is_kept_answers_head_as_get(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for headers, status in ((gateway.headers(), 404), ({}, 401)):
            assert (await gateway.request("HEAD", "/v1/responses/resp_none", b"", headers)).status == status
            assert (await gateway.get("/v1/responses/resp_none", headers)).status == status


async def test_the_models_need_a_key(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for path in ("/v1/models", "/v1/models/test-model"):
            plain = await gateway.get(path, {})
            anthropic = await gateway.get(path, {**ANTHROPIC, "x-api-key": "sk-wrong"})
            assert (plain.status, plain.json()["error"]["code"]) == (401, "invalid_api_key")
            assert (anthropic.status, anthropic.json()["error"]["type"]) == (401, "authentication_error")


async def test_a_line_break_in_a_path_stays_in_its_header(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        reply = await gateway.get("/models/a%0d%0aset-cookie:%20b=c", gateway.headers())
    assert reply.status == 404
    assert "set-cookie" not in reply.headers
    assert reply.headers["x-anykey-canonical-path"] == "/v1/models/a%0D%0Aset-cookie:%20b%3Dc"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_body_that_is_no_request_is_400_and_says_where(tmp_path: Path, protocol: str) -> None:
    cases: list[tuple[bytes, str]] = [
        (b"", ""),
        (b'{"model": "test-model", oops}', "byte 24"),
        (b"[1, 2]", "object"),
        (b"null", "object"),
        (b'{"messages": []}', "model"),
        (b'{"model": 5}', "model"),
        (b'{"model": "test-model", "stream": "yes"}', "stream"),
        (b'{"model": "test-model\xff"}', ""),
        (b'{"model": "test-model"', ""),
    ]
    async with wired(tmp_path, protocol, answering(protocol)) as (gateway, server):
        for body, named in cases:
            reply = await gateway.post(PATHS[protocol], body)
            assert reply.status == 400, body
            error = reply.json()["error"]
            assert error["type"] == "invalid_request_error"
            assert named in error["message"], body
        rows = await rows_left(gateway)
    assert server.calls == []
    assert {row.failure for row in rows} == {"invalid_request"}


@pytest.mark.parametrize(("client", "upstream"), [(CHAT, MESSAGES), (MESSAGES, CHAT)])
async def test_a_wrong_type_is_named_when_the_body_is_translated(tmp_path: Path, client: str, upstream: str) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "content"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "role"),
        ({"temperature": "warm"}, "temperature"),
        ({"tools": [5]}, "tools"),
    ]
    async with wired(tmp_path, upstream, answering(upstream)) as (gateway, server):
        for wrong, named in cases:
            reply = await ask(gateway, client, **wrong)
            assert reply.status == 400, wrong
            assert named in reply.json()["error"]["message"]
        assert (await gateway.post(PATHS[client], deep(client, 100_000))).status in {200, 400}
        assert (await ask(gateway, client)).status == 200
    assert len(server.calls) <= 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_depth_and_size_without_sense_do_no_harm(tmp_path: Path, protocol: str) -> None:
    huge = json.dumps(request(protocol)).encode()[:-1] + b', "seed": 1' + b"0" * 5000 + b"}"
    surrogate = json.dumps(request(protocol)).replace("hi", r"\ud800").encode()
    async with wired(tmp_path, protocol, reply_json(whole(protocol))) as (gateway, _):
        for body in (deep(protocol, 100_000), b"[" * 1_000_000, huge, surrogate):
            async with asyncio.timeout(5):
                assert (await gateway.post(PATHS[protocol], body)).status in {200, 400}
        assert (await ask(gateway, protocol)).status == 200


@pytest.mark.parametrize("path", [*PATHS.values(), "/v1/messages/count_tokens"])
async def test_a_body_over_the_limit_is_413_and_the_end(tmp_path: Path, path: str) -> None:
    small = NOWHERE.replace("[server]", "[server]\nmax_body_bytes = 1000")
    async with RunningGateway(tmp_path, small) as gateway, gateway.sent("POST", path, b"x" * 1001) as (reader, _):
        reply = await read_reply(reader)
        assert await reader.read() == b""
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert "1000 bytes" in reply.json()["error"]["message"]
    assert ("type" in reply.json()) is ("messages" in path)


async def test_a_body_without_a_length_is_counted(tmp_path: Path) -> None:
    small = NOWHERE.replace("[server]", "[server]\nmax_body_bytes = 1000")
    async with RunningGateway(tmp_path, small) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
        head = (
            f"POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(head.encode())
        for _ in range(3):
            writer.write(b"190\r\n" + b"x" * 400 + b"\r\n")
            await asyncio.sleep(0.01)
        async with asyncio.timeout(2):
            reply = await read_reply(reader)
            assert await reader.read() == b""
        writer.close()
    assert reply.status == 413


async def test_a_body_that_stands_still_is_408(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "PROGRESS_S", 0.1)
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
        head = f"POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\ncontent-length: 100\r\n\r\n"
        writer.write(head.encode() + b"{")
        async with asyncio.timeout(2):
            reply = await read_reply(reader)
            assert await reader.read() == b""
        writer.close()
    assert (reply.status, reply.json()["type"]) == (408, "error")


async def test_calls_follow_each_other_on_a_connection(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
        for stream in (True, False, True):
            body = json.dumps(request(CHAT, stream=stream)).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            reply = await read_reply(reader)
            assert (reply.status, reply.complete) == (200, True)
        writer.close()
    assert {call.connection for call in server.calls} == {0}


async def test_a_message_path_without_a_key_is_refused_in_its_own_shape(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        reply = await gateway.post(PATHS[MESSAGES], request(MESSAGES), {})
    assert (reply.status, reply.json()["error"]["type"]) == (401, "authentication_error")


async def test_a_body_that_nobody_reads_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "DRAIN_PAUSE_S", 0.05)
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for method, path, status in (("GET", "/livez", 200), ("POST", "/nope", 404), ("PUT", "/v1/messages", 405)):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
            writer.write(f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx".encode())
            async with asyncio.timeout(2):
                reply = await read_reply(reader)
                assert (reply.status, reply.headers["connection"]) == (status, "close")
                assert await reader.read() == b""
            writer.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_stranger_is_refused_before_his_body_is_read(tmp_path: Path, protocol: str) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
        head = f"POST {PATHS[protocol]} HTTP/1.1\r\nhost: a\r\nx-api-key: ak-no\r\ncontent-length: 60000000\r\n\r\n"
        writer.write(head.encode())
        async with asyncio.timeout(2):
            reply = await read_reply(reader)
            assert await reader.read() == b""
        writer.close()
    assert reply.status == 401
    assert reply.headers["connection"] == "close"


async def test_a_later_request_has_its_own_time_for_its_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "PROGRESS_S", 0.1)
    async with RunningGateway(tmp_path, NOWHERE) as gateway, gateway.sent("GET", "/livez") as (reader, writer):
        assert (await read_reply(reader)).status == 200
        head = f"POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\ncontent-length: 9\r\n\r\n"
        writer.write(head.encode())
        async with asyncio.timeout(2):
            assert (await read_reply(reader)).status == 408
