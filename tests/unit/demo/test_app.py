"""Routes, the token, the pace and the accidents, on the bytes of the connection."""

import asyncio
import json
import time
from typing import Any

import pytest

from anykey.demo.app import DemoApp
from anykey.demo.serve import DemoServer
from tests.unit.demo.conftest import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")


def body(said: str, *, stream: bool = True) -> bytes:
    message = {"role": "user", "content": said}
    return json.dumps({"model": "demo", "max_tokens": 999, "stream": stream, "messages": [message]}).encode()


def request(demo: Demo, path: str, data: bytes = b"", key: str = "authorization: Bearer ") -> bytes:
    method = "POST" if data else "GET"
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{key}{demo.token}\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def ask(demo: Demo, raw: bytes) -> tuple[bytes, BaseException | None]:
    """All bytes of the answer, and how the connection was lost if it was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    writer.write(raw)
    answer, lost = b"", None
    try:
        while piece := await reader.read(65536):
            answer += piece
    except ConnectionError as error:
        lost = error
    writer.close()
    return answer, lost


async def ask_json(demo: Demo, raw: bytes) -> tuple[int, Any]:
    answer, lost = await ask(demo, raw)
    assert lost is None
    head, _, data = answer.partition(b"\r\n\r\n")
    assert b"x-demo-model: anykey" in head
    return int(head.split(b" ")[1]), json.loads(data)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/messages?beta=true"])
async def test_break_ends_in_a_reset_after_some_words(demo: Demo, path: str) -> None:
    answer, lost = await ask(demo, request(demo, path, body("long 10 break")))
    assert isinstance(lost, ConnectionResetError)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b" word5" in answer
    assert b"word6" not in answer
    assert not answer.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("path", "terminator"), [("/v1/chat/completions", b"[DONE]"), ("/v1/messages", b"message_stop")]
)
async def test_cut_is_a_clean_end_without_the_terminator(demo: Demo, path: str, terminator: bytes) -> None:
    answer, lost = await ask(demo, request(demo, path, body("long 3 cut")))
    assert lost is None
    assert b" word3" in answer
    assert answer.endswith(b"0\r\n\r\n")
    assert terminator not in answer
    whole, _ = await ask(demo, request(demo, path, body("long 3")))
    assert terminator in whole


async def test_accidents_of_a_whole_answer(demo: Demo) -> None:
    cut, lost = await ask(demo, request(demo, "/v1/messages", body("cut", stream=False)))
    assert lost is None
    head, _, data = cut.partition(b"\r\n\r\n")
    assert f"content-length: {len(data)}".encode() in head
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(data)
    _, lost = await ask(demo, request(demo, "/v1/messages", body("break", stream=False)))
    assert isinstance(lost, ConnectionResetError)


async def test_silence_comes_before_the_first_byte(demo: Demo) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    started = time.monotonic()
    writer.write(request(demo, "/v1/chat/completions", body("wait 0.2")))
    assert (await reader.read(12)) == b"HTTP/1.1 200"
    assert time.monotonic() - started >= 0.2
    writer.close()


async def test_the_same_request_has_the_same_answer(demo: Demo) -> None:
    asked = request(demo, "/v1/messages", body("think", stream=False))
    assert await ask_json(demo, asked) == await ask_json(demo, asked)


async def test_any_header_for_keys_carries_the_token(demo: Demo) -> None:
    for key in ("authorization: Bearer ", "x-api-key: ", "x-goog-api-key: "):
        status, _ = await ask_json(demo, request(demo, "/v1/models", key=key))
        assert status == 200
    status, refused = await ask_json(demo, request(demo, "/v1/models", key="authorization: Bearer x"))
    assert (status, refused["error"]["code"]) == (401, "invalid_api_key")
    assert demo.token not in json.dumps(refused)


async def test_models_in_every_shape(demo: Demo) -> None:
    _, listed = await ask_json(demo, request(demo, "/v1/models"))
    assert (listed["object"], [model["id"] for model in listed["data"]]) == ("list", ["demo"])
    anthropic = "anthropic-version: 2023-06-01\r\nx-api-key: "
    _, page = await ask_json(demo, request(demo, "/v1/models", key=anthropic))
    assert (page["has_more"], page["data"][0]["type"]) == (False, "model")
    _, one = await ask_json(demo, request(demo, "/v1/models/demo"))
    assert one["object"] == "model"
    _, google = await ask_json(demo, request(demo, "/v1beta/models", key="x-goog-api-key: "))
    assert [model["name"] for model in google["models"]] == ["models/demo"]


@pytest.mark.parametrize(
    ("path", "data", "status", "kind"),
    [
        ("/v1/messages", b"{", 400, "invalid_request_error"),
        ("/v1/messages", b"[1]", 400, "invalid_request_error"),
        ("/v1/messages", b"\xff", 400, "invalid_request_error"),
        ("/v1/chat/completions", b"[" * 100_000, 400, "invalid_request_error"),
        ("/v1/messages", b'{"model":"m","max_tokens":1}', 400, "invalid_request_error"),
        ("/v1/messages/batches", b"{}", 404, "not_found_error"),
        ("/v1/responses", b"{}", 400, "invalid_request_error"),
        ("/v1/embeddings", b"{}", 404, "invalid_request_error"),
    ],
)
async def test_what_it_does_not_understand(demo: Demo, path: str, data: bytes, status: int, kind: str) -> None:
    found, error = await ask_json(demo, request(demo, path, data))
    assert (found, error["error"]["type"]) == (status, kind)


async def test_an_answer_nobody_waits_for_is_given_up(demo: Demo) -> None:
    before = asyncio.all_tasks()
    _, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    writer.write(request(demo, "/v1/messages", body("wait 60")))
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() - before
    writer.close()
    await asyncio.sleep(0.2)
    assert not asyncio.all_tasks() - before


async def test_a_stream_keeps_its_pace() -> None:
    server = DemoServer(word_delay_s=0.02)
    slow = Demo(await server.start(), server.token)
    started = time.monotonic()
    await ask(slow, request(slow, "/v1/chat/completions", body("long 10")))
    assert time.monotonic() - started >= 0.2
    await server.stop()


async def test_a_body_beyond_the_limit_is_refused() -> None:
    sent: list[Any] = []
    piece = bytes(1024 * 1024)

    async def receive() -> Any:
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/messages",
        "headers": [],
        "extensions": {"anykey.demo.reset": lambda: None},
    }

    async def gone_after_the_answer() -> Any:
        if sent:
            return {"type": "http.disconnect"}
        return await receive()

    await DemoApp("token", 0)(scope, gone_after_the_answer, send)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["error"]["type"] == "request_too_large"
