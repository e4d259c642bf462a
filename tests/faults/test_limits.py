"""Rates and networks of a key, over HTTP: refused in the caller's own words, told in headers, given back however a call ends."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic import RateLimitError as AnthropicRateLimitError
from google import genai
from google.genai import errors, types
from openai import AsyncOpenAI
from openai import RateLimitError as OpenAIRateLimitError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from anykey.accounts.amounts import nano_of, usd_text
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, rotate_key, update_key
from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, failing, request, wired
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.money import ANSWER_NANO, PLENTY_NANO, price_everything
from tests.fakes.wire import RecordedCall, WireConnection

RESPONSES, GEMINI = "openai_responses", "gemini_generate"
PROTOCOLS = (CHAT, RESPONSES, MESSAGES, GEMINI)
GEMINI_PATH = "/v1beta/models/test-model:generateContent"


def limited(gateway: RunningGateway, **fields: Any) -> dict[str, str]:
    """The headers of a new key with these fields."""
    key = create_key(gateway.home, f"limited-{time.monotonic_ns()}", fields=KeyFields(**fields))
    return {**gateway.headers(), "authorization": f"Bearer {key.text}"}


def key_in(headers: dict[str, str]) -> str:
    return headers["authorization"].removeprefix("Bearer ")


async def ask(gateway: RunningGateway, protocol: str, headers: dict[str, str]) -> WireReply:
    if protocol == GEMINI:
        return await gateway.post(GEMINI_PATH, {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, headers)
    if protocol == RESPONSES:
        return await gateway.post("/v1/responses", {"model": "test-model", "input": "hi", "store": False}, headers)
    return await gateway.post(PATHS[protocol], request(protocol), headers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_call_too_many_is_refused_in_the_callers_shape(tmp_path: Path, protocol: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers = limited(gateway, requests_per_minute=1, tokens_per_minute=100_000)
        first = await ask(gateway, protocol, headers)
        second = await ask(gateway, protocol, headers)
        rows = await gateway.rows(2)
    assert (first.status, second.status, len(server.calls)) == (200, 429, 1)
    error = second.json()["error"]
    assert "limit of 1 requests per minute" in error["message"]
    waited = int(second.headers["retry-after"])
    assert 50 <= waited <= 65
    assert "x-should-retry" not in second.headers
    if protocol == MESSAGES:
        assert error["type"] == "rate_limit_error"
    elif protocol == GEMINI:
        assert error["status"] == "RESOURCE_EXHAUSTED"
        assert any(detail["@type"].endswith("RetryInfo") for detail in error["details"])
    else:
        assert error["code"] == "key_requests_per_minute"
    assert (rows[0].status, rows[0].failure, rows[0].attempts) == (429, "rate_limited", 0)
    for reply, left in ((first, "0"), (second, "0")):
        told = reply.headers
        assert (told["x-anykey-ratelimit-limit-requests"], told["x-anykey-ratelimit-remaining-requests"]) == ("1", left)
        assert 50 <= int(told["x-anykey-ratelimit-reset-requests"]) <= 65
        assert told["x-anykey-ratelimit-limit-tokens"] == "100000"
        spelled = {name for name in told if "ratelimit" in name and "anykey" not in name}
        if protocol == MESSAGES:
            assert told["anthropic-ratelimit-requests-remaining"] == left
            assert told["anthropic-ratelimit-requests-reset"].endswith("Z")
            units = ("requests", "tokens", "input-tokens", "output-tokens")
            assert spelled == {
                f"anthropic-ratelimit-{unit}-{word}" for unit in units for word in ("limit", "remaining", "reset")
            }
        elif protocol == GEMINI:
            assert spelled == set()
        else:
            assert told["x-ratelimit-remaining-requests"] == left
            assert told["x-ratelimit-reset-requests"].endswith("s")


async def test_the_sdks_know_the_refusal_and_read_the_headers(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        key = key_in(limited(gateway, requests_per_minute=1))
        async with AsyncOpenAI(base_url=gateway.url + "/v1", api_key=key, max_retries=0) as openai:
            call = openai.chat.completions.with_raw_response
            messages: Any = [{"role": "user", "content": "hi"}]
            raw = await call.create(model="test-model", messages=messages)
            assert raw.headers["x-ratelimit-limit-requests"] == "1"
            with pytest.raises(OpenAIRateLimitError) as told:
                await openai.chat.completions.create(model="test-model", messages=messages)
        assert told.value.code == "key_requests_per_minute"
        assert told.value.response.headers["x-ratelimit-remaining-requests"] == "0"
        async with AsyncAnthropic(base_url=gateway.url, api_key=key, max_retries=0) as anthropic:
            with pytest.raises(AnthropicRateLimitError) as refused:
                await anthropic.messages.create(model="test-model", max_tokens=5, messages=messages)
        assert int(refused.value.response.headers["retry-after"]) > 1
        assert refused.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
        client: Any = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=gateway.url))
        with pytest.raises(errors.ClientError) as exhausted:
            await client.aio.models.generate_content(model="test-model", contents="hi")
        await client.aio.aclose()
        client.close()
        assert (exhausted.value.code, exhausted.value.status) == (429, "RESOURCE_EXHAUSTED")


async def test_the_upstreams_own_rate_limit_headers_are_not_passed_on(tmp_path: Path) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = [("x-ratelimit-remaining-requests", "77"), ("anthropic-ratelimit-tokens-limit", "8")]
        await connection.json(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, told)

    async with wired(tmp_path, CHAT, script) as (gateway, _):
        plain = await ask(gateway, CHAT, gateway.headers())
        headers = limited(gateway, requests_per_minute=9)
        of_limited = await ask(gateway, CHAT, headers)
    assert (plain.status, of_limited.status) == (429, 429)
    assert not [name for name in plain.headers if "ratelimit" in name]
    assert of_limited.headers["x-ratelimit-remaining-requests"] == "8"


async def test_tokens_are_reserved_and_put_right(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers = limited(gateway, tokens_per_minute=1000)
        body = {**request(CHAT), "max_tokens": 700}
        first = await gateway.post(PATHS[CHAT], body, headers)
        left = 1000 - int(first.headers["x-anykey-ratelimit-remaining-tokens"])
        assert left > 700
        second = await gateway.post(PATHS[CHAT], body, headers)
        assert int(second.headers["x-anykey-ratelimit-remaining-tokens"]) == 1000 - left - 10  # the first used 10
        third = await gateway.post(PATHS[CHAT], {**body, "max_tokens": 5000}, headers)
        assert third.status == 429
        assert third.json()["error"]["code"] == "key_tokens_per_minute"
    assert len(server.calls) == 2


class Endings:
    """An upstream that waits until it is told how to end."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, call: RecordedCall, connection: WireConnection) -> None:
        self.arrived.set()
        waiting = asyncio.ensure_future(self.go_on.wait())
        gone = asyncio.ensure_future(connection.client_gone(20))
        await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, gone):
            task.cancel()
        if self.go_on.is_set():
            await answering(CHAT)(call, connection)


async def test_calls_at_the_same_time(tmp_path: Path) -> None:
    script = Endings()
    async with wired(tmp_path, CHAT, script) as (gateway, server):
        headers = limited(gateway, concurrency=2)
        calls = [asyncio.create_task(ask(gateway, CHAT, headers)) for _ in range(2)]
        while len(server.calls) < 2:
            await asyncio.sleep(0.01)
        refused = await ask(gateway, MESSAGES, headers)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert refused.headers["x-anykey-ratelimit-remaining-concurrency"] == "0"
        assert "limit of 2 calls at the same time" in refused.json()["error"]["message"]
        script.go_on.set()
        assert [(await call).status for call in calls] == [200, 200]
        assert (await ask(gateway, CHAT, headers)).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_gives_its_place_back(tmp_path: Path, stream: bool) -> None:
    script = Endings()
    async with wired(tmp_path, CHAT, script) as (gateway, _):
        headers = limited(gateway, concurrency=1)
        async with gateway.sent("POST", PATHS[CHAT], request(CHAT, stream=stream), headers):
            await script.arrived.wait()
            assert (await ask(gateway, CHAT, headers)).status == 429
        script.go_on.set()
        await _until_let_in(gateway, headers)


FAULTS: dict[str, Any] = {
    "refused": failing(400, {"error": {"message": "no", "type": "invalid_request_error"}}),
    "broken": failing(500, {"error": {"message": "no"}}),
    "html": failing(200, "no"),
}


async def _reset(_: RecordedCall, connection: WireConnection) -> None:
    connection.reset()


async def _cut(_: RecordedCall, connection: WireConnection) -> None:
    await connection.sse_start()
    await connection.sse('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
    connection.reset()


@pytest.mark.parametrize("fault", [*FAULTS, "reset", "cut"])
@pytest.mark.parametrize("protocol", [CHAT, MESSAGES])
async def test_a_call_that_fails_gives_its_place_back(tmp_path: Path, fault: str, protocol: str) -> None:
    script = {**FAULTS, "reset": _reset, "cut": _cut}[fault]
    async with wired(tmp_path, CHAT, script) as (gateway, _):
        headers = limited(gateway, concurrency=1)
        for _try in range(3):
            reply = await gateway.post(PATHS[protocol], request(protocol, stream=fault == "cut"), headers)
            assert reply.status != 429, reply.body


async def test_a_websocket_is_let_in_turn_by_turn(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers = limited(gateway, requests_per_minute=2, concurrency=1)
        address = gateway.url.replace("http", "ws") + "/v1/responses"
        sent = {"authorization": headers["authorization"]}
        told: list[dict[str, Any]] = []
        async with connect(address, additional_headers=sent, proxy=None) as socket:
            for _turn in range(3):
                await socket.send(json.dumps({"type": "response.create", "model": "test-model", "input": "hi"}))
                while (frame := json.loads(await socket.recv()))["type"] not in {"response.completed", "error"}:
                    pass
                told.append(frame)
    assert [frame["type"] for frame in told] == ["response.completed", "response.completed", "error"]
    assert (told[2]["status"], told[2]["error"]["code"]) == (429, "key_requests_per_minute")
    assert int(told[2]["headers"]["retry-after"]) > 1
    assert told[2]["headers"]["x-ratelimit-remaining-requests"] == "0"
    assert len(server.calls) == 2


async def test_a_websocket_is_opened_from_where_it_may_be(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        address = gateway.url.replace("http", "ws") + "/v1/responses"
        sent = {"authorization": limited(gateway, ip_allow=("192.0.2.0/24",))["authorization"]}
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, additional_headers=sent, proxy=None)
    assert refused.value.response.status_code == 403


async def test_a_background_response_is_held_as_long_as_it_runs(tmp_path: Path) -> None:
    script = Endings()
    async with wired(tmp_path, CHAT, script) as (gateway, _):
        headers = limited(gateway, concurrency=1, ip_allow=("127.0.0.1",))
        body = {"model": "test-model", "input": "hi", "background": True}
        begun = (await gateway.post("/v1/responses", body, headers)).json()
        await script.arrived.wait()
        assert (await ask(gateway, CHAT, headers)).status == 429
        script.go_on.set()
        await _until_let_in(gateway, headers)
        assert (await gateway.get(f"/v1/responses/{begun['id']}", headers)).json()["status"] == "completed"


async def test_a_refused_call_of_a_stream_is_an_http_error(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        headers = limited(gateway, requests_per_minute=1)
        body = request(MESSAGES, stream=True)
        first = await gateway.post(PATHS[MESSAGES], body, headers)
        second = await gateway.post(PATHS[MESSAGES], body, headers)
    assert (first.status, second.status) == (200, 429)
    assert "event-stream" in first.headers["content-type"]
    assert first.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert second.headers["content-type"] == "application/json"


async def _until_let_in(gateway: RunningGateway, headers: dict[str, str]) -> None:
    deadline = time.monotonic() + 5
    while (reply := await ask(gateway, CHAT, headers)).status == 429:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert reply.status == 200


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_budget_is_told_with_every_answer(tmp_path: Path, protocol: str) -> None:
    price_everything(tmp_path)
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers = limited(gateway, budgets={"1d": PLENTY_NANO, "lifetime": 2 * PLENTY_NANO}, requests_per_minute=9)
        first = await ask(gateway, protocol, headers)
        second = await ask(gateway, protocol, headers)
        update_key(gateway.home, key_in(headers).split("-")[1], KeyFields(budgets={"1d": 1}))
        refused = await ask(gateway, protocol, headers)
    assert [reply.status for reply in (first, second, refused)] == [200, 200, 429]
    for reply in (first, second, refused):
        assert reply.headers["x-anykey-budget-name"] == "key:1d"
        assert reply.headers["x-anykey-ratelimit-limit-requests"] == "9"
    assert first.headers["x-anykey-budget-limit"] == usd_text(PLENTY_NANO)
    left = [nano_of(reply.headers["x-anykey-budget-remaining"]) for reply in (first, second, refused)]
    assert left[0] - left[1] == ANSWER_NANO  # what the first cost; the reservation of both is the same
    assert left[2] == 0
    assert "x-anykey-credit-remaining" not in first.headers
    assert len(server.calls) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_key_is_used_from_where_it_may_be(tmp_path: Path, protocol: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        elsewhere = limited(gateway, ip_allow=("192.0.2.0/24",))
        denied = limited(gateway, ip_allow=("127.0.0.0/8",), ip_deny=("127.0.0.1/32",))
        here = limited(gateway, ip_allow=("127.0.0.0/8",))
        for headers in (elsewhere, denied):
            for forged in ({}, {"x-forwarded-for": "192.0.2.7"}):
                reply = await ask(gateway, protocol, {**headers, **forged})
                assert reply.status == 403
                assert "may not be used from 127.0.0.1" in reply.json()["error"]["message"]
            assert (await gateway.get("/v1/models", headers)).status == 403
        assert (await ask(gateway, protocol, here)).status == 200
    assert len(server.calls) == 1


async def test_a_trusted_proxy_is_believed(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        await gateway.stop()
        config = f"""[server]
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "{server.url}/v1"
api_key = {{ env = "LAB_KEY" }}
[models."test-model"]
deployments = ["lab/upstream-model"]
"""
        async with RunningGateway(tmp_path, config, key_name="behind") as behind:
            headers = limited(behind, ip_allow=("192.0.2.0/24",))
            told = [
                (await ask(behind, CHAT, {**headers, "x-forwarded-for": said})).status
                for said in ("192.0.2.7", "192.0.2.7, 10.9.9.9", "192.0.2.7, 203.0.113.1", "203.0.113.1", "")
            ]
    assert told == [200, 200, 403, 403, 403]


async def test_a_key_that_expires_while_it_is_used(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        headers = limited(gateway)
        key_id = key_in(headers).split("-")[1]
        assert (await ask(gateway, CHAT, headers)).status == 200
        update_key(gateway.home, key_id, KeyFields(expires_at=int(time.time()) + 1))
        assert (await ask(gateway, CHAT, headers)).status == 200
        await asyncio.sleep(1.1)
        reply = await ask(gateway, CHAT, headers)
    assert reply.status == 401
    assert "has expired" in reply.json()["error"]["message"]


async def test_the_secret_before_a_rotation_ends_with_its_overlap(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        old = limited(gateway)
        rotated = rotate_key(gateway.home, key_in(old).split("-")[1], overlap_s=1)
        new = {**old, "authorization": f"Bearer {rotated.text}"}
        assert [(await ask(gateway, CHAT, headers)).status for headers in (old, new)] == [200, 200]
        await asyncio.sleep(1.1)
        assert [(await ask(gateway, CHAT, headers)).status for headers in (old, new)] == [401, 200]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_takes_nothing_tells_how_the_rates_stand(tmp_path: Path, protocol: str) -> None:
    """A list of models, a count of tokens, and a call that is refused before it counts."""
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers = limited(gateway, requests_per_minute=5)
        plain = await gateway.get("/v1/models", gateway.headers())
        assert not [name for name in plain.headers if "ratelimit" in name]
        assert (await ask(gateway, protocol, headers)).status == 200
        for _ in range(2):
            looked = [await look(gateway, protocol, what, headers) for what in ("models", "count", "refused", "named")]
            assert [reply.status for reply in looked] == [200, 200, 400, 400]
            for reply in looked:
                told = reply.headers
                assert (told["x-anykey-ratelimit-limit-requests"], told["x-anykey-ratelimit-remaining-requests"]) == (
                    "5",
                    "4",
                )
        assert len(server.calls) == 1


async def look(gateway: RunningGateway, protocol: str, what: str, headers: dict[str, str]) -> WireReply:
    """A question to the gateway itself."""
    paths = {CHAT: PATHS[CHAT], MESSAGES: PATHS[MESSAGES], RESPONSES: "/v1/responses", GEMINI: GEMINI_PATH}
    if what == "models":
        more = {"anthropic-version": "2023-06-01"} if protocol == MESSAGES else {}
        return await gateway.get("/v1beta/models" if protocol == GEMINI else "/v1/models", {**headers, **more})
    if what == "refused":
        return await gateway.post(paths[protocol], b"[]", headers)
    if what == "named":
        return await gateway.post(paths[protocol], {"model": "test-model"}, {**headers, "idempotency-key": "x" * 300})
    if protocol == GEMINI:
        asked: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        return await gateway.post("/v1beta/models/test-model:countTokens", asked, headers)
    if protocol == MESSAGES:
        return await gateway.post("/v1/messages/count_tokens", request(MESSAGES), headers)
    return await gateway.post("/v1/responses/input_tokens", {"model": "test-model", "input": "hi"}, headers)
