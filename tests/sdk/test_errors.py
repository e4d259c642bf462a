"""Errors reach a program as the exception class its SDK documents, with the upstream's words and the right pauses."""

import time
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes.answers import CHAT, PAIRS, PROTOCOLS, answering, failing, failure_event, pieces
from tests.fakes.wire import RecordedCall, Script, WireConnection
from tests.sdk.lab import Lab, running

EACH_CLIENT = pytest.mark.parametrize("client", PROTOCOLS)
EACH_PAIR = pytest.mark.parametrize(("client", "upstream"), PAIRS)


async def ask(lab: Lab, client: str, retries: int = 0, key: str = "", **more: Any) -> Any:
    """One question by this client's SDK; a stream is read to its end. `more` are fields of the request."""
    options: dict[str, Any] = {"max_retries": retries, **({"api_key": key} if key else {})}
    asking: dict[str, Any] = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}], **more}
    if client == CHAT:
        resource: Any = lab.openai.with_options(**options).chat.completions
    else:
        resource = lab.anthropic.with_options(**options).messages
        asking["max_tokens"] = 64
    answer: Any = await resource.create(**asking)
    return [piece async for piece in answer] if more.get("stream") else answer


async def refused(lab: Lab, client: str, kind: str, **more: Any) -> Any:
    """Ask, and expect the SDK's exception of that name."""
    sdk: Any = openai if client == CHAT else anthropic
    with pytest.raises(getattr(sdk, kind)) as caught:
        await ask(lab, client, **more)
    return caught.value


def error_body(protocol: str, kind: str, message: str) -> dict[str, Any]:
    """An error as an upstream of this protocol says it."""
    if protocol == CHAT:
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def then_answer(upstream: str, *failures: Script) -> Script:
    """A script that fails in these ways first, and then answers."""
    left = [*failures, answering(upstream)]

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(call, connection)

    return script


@EACH_PAIR
async def test_bad_request_keeps_the_upstreams_words(tmp_path: Path, client: str, upstream: str) -> None:
    words = "messages.1.role: Input should be 'user' or 'assistant'"
    script = failing(400, error_body(upstream, "invalid_request_error", words))
    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "BadRequestError", retries=2)
        assert words in error.message
        assert len(lab.upstream.calls) == 1
        assert error.request_id.startswith("req_")


@EACH_CLIENT
async def test_wrong_gateway_key(tmp_path: Path, client: str) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab:
        began = time.monotonic()
        await refused(lab, client, "AuthenticationError", retries=2, key="ak-wrong")
        assert time.monotonic() - began < 0.4
        assert lab.upstream.calls == []


@EACH_PAIR
async def test_a_refused_upstream_credential_is_not_the_callers_401(tmp_path: Path, client: str, upstream: str) -> None:
    """A caller that is told 401 throws its key away; and a client must not repeat this one."""
    script = failing(401, error_body(upstream, "authentication_error", "bad key lab-secret"))
    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "InternalServerError", retries=2)
        assert error.status_code == 502
        assert "lab-secret" not in str(error.body)
        assert len(lab.upstream.calls) == 1


@EACH_CLIENT
async def test_a_model_that_no_provider_has(tmp_path: Path, client: str) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab:
        error = await refused(lab, client, "NotFoundError", retries=2, model="@nowhere/no-such-model")
        assert "nowhere" in error.message
        assert lab.upstream.calls == []


@EACH_PAIR
async def test_a_model_that_the_provider_does_not_know(tmp_path: Path, client: str, upstream: str) -> None:
    script = failing(404, error_body(upstream, "not_found_error", "no model of that name"))
    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "NotFoundError", retries=2)
        assert "no model of that name" in error.message
        assert len(lab.upstream.calls) == 1


@EACH_PAIR
async def test_retry_after_is_passed_on_and_kept(tmp_path: Path, client: str, upstream: str) -> None:
    limited = failing(429, error_body(upstream, "rate_limit_error", "slow down"), (("retry-after", "1"),))
    async with running(tmp_path, upstream, then_answer(upstream, limited)) as lab:
        began = time.monotonic()
        await ask(lab, client, retries=1)
        # Without the header both SDKs wait at most half a second before the first repetition.
        assert 0.95 <= time.monotonic() - began < 3
        assert len(lab.upstream.calls) == 2


@EACH_PAIR
async def test_rate_limited_without_retries(tmp_path: Path, client: str, upstream: str) -> None:
    script = failing(429, error_body(upstream, "rate_limit_error", "slow down"), (("retry-after", "7"),))
    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "RateLimitError")
        assert "slow down" in error.message
        assert error.response.headers["retry-after"] == "7"


@EACH_PAIR
async def test_a_broken_upstream_is_retried_and_then_told(tmp_path: Path, client: str, upstream: str) -> None:
    script = failing(500, error_body(upstream, "api_error", "disk on fire"))
    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "InternalServerError", retries=1)
        assert "disk on fire" in error.message
        assert len(lab.upstream.calls) == 2
        (row, _) = await lab.gateway.rows(2)
    assert (row.failure, row.input_tokens, row.output_tokens) == ("upstream_error", 0, 0)


@EACH_PAIR
async def test_an_error_inside_a_stream_raises(tmp_path: Path, client: str, upstream: str) -> None:
    told = pieces(upstream)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*told.lifecycle, *told.content)
        await connection.sleep(0.1)  # once content was relayed it is too late for a true HTTP status
        await connection.sse(failure_event(upstream, "lost my thread"))
        await connection.sse_end()

    async with running(tmp_path, upstream, script) as lab:
        error = await refused(lab, client, "APIError", retries=2, stream=True)
        assert "lost my thread" in str(error.body)
        assert len(lab.upstream.calls) == 1


@EACH_PAIR
@pytest.mark.parametrize("abruptly", [True, False])
async def test_a_stream_without_an_end_raises(tmp_path: Path, client: str, upstream: str, abruptly: bool) -> None:
    """A clean end before the terminal event is no end: the SDKs would hand out half an answer as a whole one."""
    told = pieces(upstream)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*told.lifecycle, *told.content)
        if abruptly:
            connection.reset()
        else:
            await connection.sse_end()

    async with running(tmp_path, upstream, script) as lab:
        await refused(lab, client, "APIError", stream=True)
        (row,) = await lab.gateway.rows()
    assert row.failure == "upstream_error"
