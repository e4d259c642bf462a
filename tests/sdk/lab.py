"""One gateway, one scripted upstream behind it, and the official SDKs in front."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from anthropic import AsyncAnthropic
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import RecordedCall, Script, WireServer

# A custom provider is believed to know little; these upstreams know what the cases need.
DIALECTS = {
    CHAT: 'echo_reasoning = "always"',
    RESPONSES: "",
    MESSAGES: "output_format = true",
    GEMINI: 'thought_signatures = "required"',
}

TIMEOUT_S = 10


class Lab(NamedTuple):
    """`openai` and `anthropic` do not retry; `with_options(max_retries=…)` makes them."""

    upstream: WireServer
    gateway: RunningGateway
    openai: AsyncOpenAI
    anthropic: AsyncAnthropic

    @property
    def asked(self) -> Any:
        """The body of the last call upstream."""
        return self.upstream.calls[-1].json()

    @property
    def call(self) -> RecordedCall:
        """The only call upstream."""
        (only,) = self.upstream.calls
        return only


@asynccontextmanager
async def running(directory: Path, protocol: str, script: Script) -> AsyncGenerator[Lab]:
    """A gateway whose model `test-model` is this script in this protocol."""
    async with WireServer(script) as upstream:
        url = upstream.url + ("/v1" if protocol == RESPONSES else "")
        config = f"{lab(protocol, url)}\n[providers.lab.dialect.{protocol}]\n{DIALECTS[protocol]}\n"
        async with (
            RunningGateway(directory, config) as gateway,
            AsyncOpenAI(base_url=gateway.url + "/v1", api_key=gateway.key, max_retries=0, timeout=TIMEOUT_S) as openai,
            AsyncAnthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=TIMEOUT_S) as anthropic,
        ):
            yield Lab(upstream, gateway, openai, anthropic)


@asynccontextmanager
async def google(lab: Lab, version: str = "v1beta") -> AsyncGenerator[Any]:
    """Google's SDK at this gateway; its own types are not complete."""
    options = types.HttpOptions(base_url=lab.gateway.url, api_version=version, timeout=TIMEOUT_S * 1000)
    client = genai.Client(api_key=lab.gateway.key, http_options=options)
    try:
        yield client
    finally:
        await client.aio.aclose()
        client.close()
