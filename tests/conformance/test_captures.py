"""Every request that real client programs were captured with, as they sent it, at a real server, over each of the four protocols
upstream: accepted, told upstream, answered."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from anykey.conversation.parts import Json
from tests.conformance.recordings import all_captured
from tests.fakes.gateway import RunningGateway, WireReply, lab
from tests.fakes.wire import WireServer
from tests.sdk.said import FOUR, telling, text

pytestmark = pytest.mark.corpus

AUTH = ("authorization", "x-api-key", "x-goog-api-key")
OF_THE_CONNECTION = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding", *AUTH)
TARGETS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1beta/models/upstream-model:",
}
COUNTS = ("/count_tokens", ":countTokens")
UNSERVED = {"/v1/interactions": 404, ":batchEmbedContents": 501, "/x/v1/models/m:generateContent": 404}
"""Paths that the gateway does not serve, and how it says so."""
NOT_STORED = "aisdk-reasoning-1"
"""It refers by id to items that another server stored."""
SEARCHES = {
    "claude-websearch-1": ("openai_chat", "openai_responses"),
    "cline-gemini-tool-0": ("openai_chat", "openai_responses", "anthropic_messages"),
    "gemini-websearch-1": ("openai_chat", "openai_responses", "anthropic_messages"),
    "sdk-genai-base-6": ("openai_chat", "openai_responses", "anthropic_messages"),
}
"""Calls that are nothing without a search, and the upstreams that have none unless the catalogue says so."""


class Captured(NamedTuple):
    """One request as a program sent it; ``encoding`` is that of the body on the wire."""

    identity: str
    method: str
    target: str
    headers: dict[str, str]
    auth: str
    body: bytes
    encoding: str


def programs() -> list[Captured]:
    """Each different request once."""
    found: dict[str, Captured] = {}
    for row in all_captured():
        request: Json = row["request"]
        if request["method"] == "WS-MESSAGE" or _is_websocket(request):
            continue
        named = {name.lower(): value for name, value in request["headers"]}
        body = b"" if request["body"] is None else json.dumps(request["body"]).encode()
        target = request["path"] + (f"?{request['query']}" if request.get("query") else "")
        found.setdefault(
            f"{request['method']} {target} {body!r}",
            Captured(
                f"{row['client']}-{row['scenario']}-{row['index']}",
                request["method"],
                target,
                {name: value for name, value in named.items() if name not in OF_THE_CONNECTION},
                next((name for name in AUTH if name in named), "authorization"),
                body,
                named.get("content-encoding", ""),
            ),
        )
    return list(found.values())


def _is_websocket(request: Json) -> bool:
    return any(name.lower() == "upgrade" for name, _ in request["headers"])


def models(requests: list[Captured]) -> set[str]:
    """Every name of a model that is asked for."""
    names: set[str] = set()
    for request in requests:
        path, _, query = request.target.partition("?")
        del query
        if ":" in path:
            names.add(path.partition("models/")[2].rpartition(":")[0])
        elif "/models/" in path:
            names.add(path.partition("/models/")[2])
        elif request.body:
            body: Any = json.loads(request.body)
            names.add(body.get("model") or "")
    return names - {""}


def config(protocol: str, url: str, names: set[str]) -> str:
    """All these names are the one model of the one provider."""
    lines = [lab(protocol, url + ("/v1" if protocol == "openai_responses" else ""))]
    lines += [f'[models."{name}"]\ndeployments = ["lab/upstream-model"]\n' for name in sorted(names - {"test-model"})]
    return "\n".join(lines)


async def ask(gateway: RunningGateway, request: Captured, encoding: str | None = None) -> WireReply:
    """The request with a key of this gateway where the program had its own."""
    key = f"Bearer {gateway.key}" if request.auth == "authorization" else gateway.key
    encoding = request.encoding if encoding is None else encoding
    headers = {**request.headers, request.auth: key}
    headers.pop("content-encoding", None)
    body = request.body
    if encoding:
        headers["content-encoding"] = encoding
        body = zstandard.compress(body) if encoding == "zstd" else gzip.compress(body, 1)
    return await gateway.request(request.method, request.target, body, headers)


def generates(request: Captured) -> bool:
    path = request.target.partition("?")[0]
    return request.method == "POST" and not path.endswith((*COUNTS, *UNSERVED))


def status_of(request: Captured, upstream: str) -> int:
    if request.identity == NOT_STORED:
        return 404
    if upstream in SEARCHES.get(request.identity, ()):
        return 400
    return next((code for end, code in UNSERVED.items() if request.target.endswith(end)), 200)


@pytest.mark.parametrize("upstream", FOUR)
async def test_what_programs_send_reaches_every_upstream(tmp_path: Path, upstream: str) -> None:
    requests = programs()
    assert len(requests) > 400
    told, wrong = Counter[str](), list[str]()
    async with (
        WireServer(telling(text(upstream, "Hello world"))) as server,
        RunningGateway(tmp_path, config(upstream, server.url, models(requests))) as gateway,
    ):
        for request in requests:
            server.calls.clear()
            reply = await ask(gateway, request)
            status = status_of(request, upstream)
            targets = [call.target for call in server.calls]
            reached = len(targets) == 1 and targets[0].startswith(TARGETS[upstream])
            if reply.status != status or reached != (generates(request) and status == 200):
                wrong.append(f"{request.identity} {request.target} {reply.status} {targets} {reply.body[:300]!r}")
            if reached and b"Hello" not in reply.body:
                wrong.append(f"{request.identity} {request.target} was not told the answer: {reply.body[:300]!r}")
            told[request.target.partition("?")[0].rpartition("/")[2].rpartition(":")[2]] += 1
    assert not wrong, f"{len(wrong)} of {len(requests)}:\n" + "\n".join(wrong[:20])
    print(f"\n{upstream}: {told.total()} requests, {dict(told)}")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_compressed_bodies_are_read_on_every_route(tmp_path: Path, encoding: str) -> None:
    """One request of each route and program."""
    chosen: dict[tuple[str, str], Captured] = {}
    for request in programs():
        if generates(request) and status_of(request, "anthropic_messages") == 200:
            chosen.setdefault((request.identity.partition("-")[0], request.target.partition("?")[0]), request)
    requests = list(chosen.values())
    async with (
        WireServer(telling(text("anthropic_messages", "Hello world"))) as server,
        RunningGateway(tmp_path, config("anthropic_messages", server.url, models(requests))) as gateway,
    ):
        replies = [(await ask(gateway, request, encoding)).status for request in requests]
    assert replies == [200] * len(requests)
    assert len(server.calls) == len(requests) > 20
