"""google-genai at this gateway: the base URL and version as people write them, any model's name, the list of models."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.genai.errors import ClientError

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS, TEXT, answering
from tests.fakes.wire import reply_json
from tests.sdk.lab import Lab, running

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)


@asynccontextmanager
async def google(lab: Lab, suffix: str = "", version: str | None = None, key: str | None = None) -> AsyncGenerator[Any]:
    """The SDK's client; its own types are not complete."""
    options = types.HttpOptions(base_url=lab.gateway.url + suffix, api_version=version, timeout=10_000)
    client = genai.Client(api_key=key or lab.gateway.key, http_options=options)
    try:
        yield client.aio
    finally:
        await client.aio.aclose()
        client.close()


@UPSTREAMS
@pytest.mark.parametrize(
    ("suffix", "version"), [("", None), ("", "v1beta"), ("", "v1alpha"), ("/gemini", "v1beta"), ("/v1beta", "")]
)
async def test_any_base_url(tmp_path: Path, upstream: str, suffix: str, version: str | None) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab, google(lab, suffix, version) as client:
        answer = await client.models.generate_content(model="test-model", contents="hi")
        assert answer.text == TEXT
        stream = await client.models.generate_content_stream(model="test-model", contents="hi")
        assert "".join([chunk.text or "" async for chunk in stream]) == TEXT
        assert lab.asked["model"] == "upstream-model"


@pytest.mark.parametrize("name", ["lab/upstream-model", "models/test-model", "lab/a/b.c:8b"])
async def test_any_name_of_a_model(tmp_path: Path, name: str) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab, google(lab) as client:
        answer = await client.models.generate_content(model=name, contents="hi")
        assert answer.text == TEXT
        told = name.removeprefix("lab/")
        assert lab.asked["model"] == ("upstream-model" if name == "models/test-model" else told)


@pytest.mark.parametrize("version", [None, "v1beta"])
async def test_the_models(tmp_path: Path, version: str | None) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab, google(lab, version=version) as client:
        shown = [model.name async for model in await client.models.list(config={"page_size": 1})]
        assert shown == ["models/test-model"]
        assert (await client.models.get(model="test-model")).display_name == "test-model"
        assert lab.upstream.calls == []


async def test_what_is_refused_is_told_as_google_tells_it(tmp_path: Path) -> None:
    async with running(tmp_path, MESSAGES, reply_json({}, 200)) as lab:
        async with google(lab, key="ak-no") as client:
            with pytest.raises(ClientError) as stranger:
                await client.models.generate_content(model="test-model", contents="hi")
        async with google(lab) as client:
            with pytest.raises(ClientError) as missing:
                await client.models.generate_content(model="@nowhere/x", contents="hi")
    assert (stranger.value.code, stranger.value.status) == (401, "UNAUTHENTICATED")
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")


async def test_count_tokens(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, answering(CHAT)) as lab, google(lab) as client:
        counted = await client.models.count_tokens(model="test-model", contents="hello there")
        assert 1 <= counted.total_tokens < 20


@UPSTREAMS
async def test_a_stream_without_sse_is_one_array(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        body = {"contents": [{"parts": [{"text": "hi"}]}]}
        path = "/v1beta/models/test-model:streamGenerateContent"
        reply = await lab.gateway.post(f"{path}?key={lab.gateway.key}", body, {})
        refused = await lab.gateway.post(f"{path}?key=ak-no", body, {})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=UTF-8")
    parts = [part for chunk in reply.json() for choice in chunk["candidates"] for part in choice["content"]["parts"]]
    assert "".join(part["text"] for part in parts) == TEXT
    assert reply.json()[-1]["candidates"][0]["finishReason"] == "STOP"
    assert (refused.status, refused.json()[0]["error"]["status"]) == (401, "UNAUTHENTICATED")
