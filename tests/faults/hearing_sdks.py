"""The official SDKs as the clients of a lane: what they raise."""

from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.fakes.agents import RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.gateway import RunningGateway
from tests.faults.lanes import Lane

TIMEOUT_S = 20


class FailedResponse(Exception):
    """The stream ended with `response.failed`, which OpenAI's SDK hands on and raises nothing for."""


async def sdk_raises(gateway: RunningGateway, lane: Lane, model: str, status: int | None) -> None:
    """Ask by the lane's SDK; it must raise its error for this HTTP status, or (None) for an error told in the stream."""
    ask = {CHAT: _openai, RESPONSES: _openai, MESSAGES: _anthropic}.get(lane.client, _google)
    with pytest.raises((openai.APIError, anthropic.APIError, errors.APIError, FailedResponse)) as caught:
        await ask(gateway, lane, model)
    error: Any = caught.value
    if isinstance(error, errors.APIError):
        assert status in (error.code, None)
        assert isinstance(error, errors.ClientError if error.code < 500 else errors.ServerError)
    elif status is None:
        assert not isinstance(error, openai.APIStatusError)
    else:
        kinds = {400: "BadRequestError", 424: "APIStatusError", 429: "RateLimitError", 529: "OverloadedError"}
        assert kinds.get(status, "InternalServerError") in [base.__name__ for base in type(error).__mro__], type(error)
        assert error.status_code == status
        assert error.request_id


async def _openai(gateway: RunningGateway, lane: Lane, model: str) -> None:
    options: dict[str, Any] = {"base_url": f"{gateway.url}/v1", "api_key": gateway.key, "timeout": TIMEOUT_S}
    async with openai.AsyncOpenAI(**options, max_retries=0) as sdk:
        if lane.client == CHAT:
            resource: Any = sdk.chat.completions
            said: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
        else:
            resource, said = sdk.responses, {"input": "hi"}
        answer = await resource.create(model=model, stream=lane.stream, **said)
        if lane.stream:
            async for event in answer:
                if getattr(event, "type", "") == "response.failed":
                    raise FailedResponse


async def _anthropic(gateway: RunningGateway, lane: Lane, model: str) -> None:
    async with anthropic.AsyncAnthropic(
        base_url=gateway.url, api_key=gateway.key, max_retries=0, timeout=TIMEOUT_S
    ) as sdk:
        said: Any = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        answer: Any = await sdk.messages.create(**said, stream=lane.stream)
        if lane.stream:
            async for _ in answer:
                pass


async def _google(gateway: RunningGateway, lane: Lane, model: str) -> None:
    options = types.HttpOptions(base_url=gateway.url, timeout=TIMEOUT_S * 1000)
    client: Any = genai.Client(api_key=gateway.key, http_options=options)
    try:
        if lane.stream:
            async for _ in await client.aio.models.generate_content_stream(model=model, contents="hi"):
                pass
        else:
            await client.aio.models.generate_content(model=model, contents="hi")
    finally:
        await client.aio.aclose()
        client.close()
