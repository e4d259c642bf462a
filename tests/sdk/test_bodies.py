"""What is kept of calls that are logged in full is, byte for byte, what the official SDKs sent and got: in four protocols, whole
and streamed, whatever the upstream speaks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from anthropic import AsyncAnthropic
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.request_bodies import read_bodies
from anykey.storage.exchange_bodies import ExchangeBodies
from tests.fakes.answers import PROTOCOLS, TEXT, answering
from tests.fakes.gateway import RunningGateway
from tests.sdk.lab import running

DAYS = 3


class Seen(NamedTuple):
    """What went over the wire of one call."""

    request_id: str
    sent: bytes
    got: bytes
    content_type: str
    credential: str


class _Tee(httpx2.AsyncByteStream):
    """Passes a stream on and keeps it."""

    def __init__(self, inner: Any, got: list[bytes]) -> None:
        self._inner = inner
        self._got = got

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._got.append(piece)
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class Wire(httpx2.AsyncHTTPTransport):
    """A transport that keeps what it carries."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: list[httpx2.Request] = []
        self._told: list[httpx2.Response] = []
        self._got: list[bytes] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        response = await super().handle_async_request(request)
        response.stream = _Tee(response.stream, self._got)
        self._sent.append(request)
        self._told.append(response)
        return response

    @property
    def seen(self) -> Seen:
        """The only call."""
        (request,), (response,) = self._sent, self._told
        headers = request.headers
        credential = headers.get("authorization") or headers.get("x-api-key") or headers["x-goog-api-key"]
        told = response.headers
        return Seen(told["x-anykey-request-id"], request.content, b"".join(self._got), told["content-type"], credential)


class Asking(NamedTuple):
    """A call of an SDK, over a transport."""

    url: str
    key: str
    http: httpx2.AsyncClient
    stream: bool


async def chat(asking: Asking) -> None:
    client: Any = AsyncOpenAI(base_url=asking.url + "/v1", api_key=asking.key, http_client=asking.http, max_retries=0)
    messages = [{"role": "user", "content": "hi"}]
    answer = await client.chat.completions.create(model="test-model", messages=messages, stream=asking.stream)
    await _read(answer, asking)


async def responses(asking: Asking) -> None:
    client: Any = AsyncOpenAI(base_url=asking.url + "/v1", api_key=asking.key, http_client=asking.http, max_retries=0)
    await _read(await client.responses.create(model="test-model", input="hi", stream=asking.stream), asking)


async def messages(asking: Asking) -> None:
    client: Any = AsyncAnthropic(base_url=asking.url, api_key=asking.key, http_client=asking.http, max_retries=0)
    said = [{"role": "user", "content": "hi"}]
    answer = await client.messages.create(model="test-model", messages=said, max_tokens=64, stream=asking.stream)
    await _read(answer, asking)


async def gemini(asking: Asking) -> None:
    options = types.HttpOptions(base_url=asking.url, api_version="v1beta", httpx_async_client=asking.http)
    models: Any = genai.Client(api_key=asking.key, http_options=options).aio.models
    if asking.stream:
        await _read(await models.generate_content_stream(model="test-model", contents="hi"), asking)
    else:
        await models.generate_content(model="test-model", contents="hi")


async def _read(answer: Any, asking: Asking) -> None:
    if asking.stream:
        async for _ in answer:
            pass


SDKS: dict[str, Callable[[Asking], Awaitable[None]]] = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic_messages": messages,
    "gemini_generate": gemini,
}


@asynccontextmanager
async def carried() -> AsyncGenerator[tuple[httpx2.AsyncClient, Wire]]:
    wire = Wire()
    async with httpx2.AsyncClient(transport=wire, timeout=10) as client:
        yield client, wire


async def kept(gateway: RunningGateway, request_id: str) -> ExchangeBodies:
    """Once they are written."""
    for _ in range(200):
        try:
            return read_bodies(gateway.home, request_id)
        except AdministrationError:
            await asyncio.sleep(0.02)
    return pytest.fail("nothing was kept")


@pytest.mark.parametrize("upstream", PROTOCOLS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("sdk", SDKS)
async def test_what_is_kept_is_what_the_sdk_sent_and_got(tmp_path: Path, sdk: str, stream: bool, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab, carried() as (http, wire):
        fields = KeyFields(logging="full", logging_days=DAYS)
        key = create_key(lab.gateway.home, "logged", fields=fields)
        await SDKS[sdk](Asking(lab.gateway.url, key.text, http, stream))
        seen = wire.seen
        bodies = await kept(lab.gateway, seen.request_id)
        (row,) = await lab.gateway.rows()
        database = b"".join(file.read_bytes() for file in lab.gateway.home.path.glob("anykey.db*"))
    assert key.text in seen.credential
    assert (bodies.request, bodies.answer, bodies.content_type) == (seen.sent, seen.got, seen.content_type)
    assert (bodies.request_bytes, bodies.answer_bytes, bodies.status) == (len(seen.sent), len(seen.got), 200)
    assert (bodies.id, bodies.key_id, bodies.organisation, bodies.at) == (row.id, key.key.id, "default", row.at)
    assert bodies.expires_at == row.at // 1000 + DAYS * 86_400
    assert b"Hello" in bodies.answer
    assert key.text.encode() not in bodies.request + bodies.answer + database
    if sdk != "openai_responses":  # whose protocol keeps responses of its own
        assert TEXT.encode() not in database
