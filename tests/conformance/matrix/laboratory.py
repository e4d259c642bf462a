"""One gateway for all cells, a scripted upstream of each protocol behind it, and the official SDKs in front of it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from anthropic import AsyncAnthropic
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from anykey.administration.usage import recent, usage_filter
from anykey.storage.records import ExchangeRow
from tests.conformance.matrix.listening_chat import ChatListener
from tests.conformance.matrix.listening_gemini import GeminiListener
from tests.conformance.matrix.listening_messages import MessagesListener
from tests.conformance.matrix.listening_responses import ResponsesListener
from tests.conformance.matrix.speaking_chat import ChatSpeaker
from tests.conformance.matrix.speaking_gemini import GeminiSpeaker
from tests.conformance.matrix.speaking_messages import MessagesSpeaker
from tests.conformance.matrix.speaking_responses import ResponsesSpeaker
from tests.conformance.matrix.spoken import Listener, Speaker
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, MODEL
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

PROTOCOLS = (CHAT, RESPONSES, MESSAGES, GEMINI)
LISTENERS: dict[str, Listener] = {
    CHAT: ChatListener(),
    RESPONSES: ResponsesListener(),
    MESSAGES: MessagesListener(),
    GEMINI: GeminiListener(),
}
_SPEAKERS: dict[str, Callable[..., Speaker]] = {
    CHAT: ChatSpeaker,
    RESPONSES: ResponsesSpeaker,
    MESSAGES: MessagesSpeaker,
    GEMINI: GeminiSpeaker,
}
_KINDS = {RESPONSES: ("openai", "/v1"), MESSAGES: ("anthropic", ""), GEMINI: ("gemini", "")}
"""The makers of three protocols, at another address. Chat is a compatible server that takes signed reasoning back."""

_CHAT_DIALECT = """
[providers.openai_chat.dialect.openai_chat]
reasoning_details = true
echo_reasoning = "always"
reasoning_field = "reasoning"
"""
_TIMEOUT_S = 10


class Laboratory(NamedTuple):
    """``sdks`` are made once: each has a TLS context of its own."""

    gateway: RunningGateway
    upstreams: dict[str, WireServer]
    sdks: dict[str, Any]

    def speaker(self, client: str, upstream: str, *, stream: bool) -> Speaker:
        """A new conversation."""
        return _SPEAKERS[client](self.sdks[client], f"on-{upstream}", stream=stream)

    async def rows(self, since_ms: int, count: int) -> list[ExchangeRow]:
        """The usage rows of the ``count`` calls made since then, once they are written."""
        deadline = time.monotonic() + 5
        while True:
            found = recent(self.gateway.home, count, usage_filter(self.gateway.home, "all"))
            found = [row for row in found if row.at >= since_ms]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.02)


@asynccontextmanager
async def laboratory(directory: Path) -> AsyncGenerator[Laboratory]:
    """Everything runs until the last cell is done."""
    servers = {protocol: WireServer(_unasked) for protocol in PROTOCOLS}
    async with contextlib.AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server)
        async with (
            RunningGateway(directory, _config(servers)) as gateway,
            AsyncOpenAI(base_url=gateway.url + "/v1", api_key=gateway.key, max_retries=0, timeout=_TIMEOUT_S) as openai,
            AsyncAnthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=_TIMEOUT_S) as anthropic,
        ):
            options = types.HttpOptions(base_url=gateway.url, timeout=_TIMEOUT_S * 1000)
            google = genai.Client(api_key=gateway.key, http_options=options)
            sdks: dict[str, Any] = {CHAT: openai, RESPONSES: openai, MESSAGES: anthropic, GEMINI: google.aio}
            try:
                yield Laboratory(gateway, servers, sdks)
            finally:
                await google.aio.aclose()
                google.close()


def _config(servers: dict[str, WireServer]) -> str:
    lines = ["[server]", "environment_providers = false"]
    for protocol, server in servers.items():
        kind, path = _KINDS.get(protocol, ("custom", "/v1"))
        lines += [f"[providers.{protocol}]", f'kind = "{kind}"', f'protocol = "{protocol}"']
        lines += [f'base_url = "{server.url}{path}"', 'api_key = { env = "LAB_KEY" }']
        lines += [f"[models.on-{protocol}]", f'deployments = ["{protocol}/{MODEL}"]']
    return "\n".join([*lines, _CHAT_DIALECT])


async def _unasked(call: RecordedCall, _: WireConnection) -> None:
    raise AssertionError(f"{call.target} was asked before a cell said what to answer")
