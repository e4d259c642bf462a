"""Plain answers through the official SDKs: whole and streamed, how they ended and what they cost."""

import asyncio
from pathlib import Path

import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.fakes.answers import CHAT, MESSAGES, PROTOCOLS, TEXT, answering
from tests.sdk.lab import Lab, running
from tests.sdk.said import Answer, cached, refusal, telling, text

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)


def check_asked(lab: Lab, upstream: str) -> None:
    """The upstream was asked in its own protocol, with our credential and the deployment's model, and not with our key."""
    call = lab.call
    assert call.target == ("/v1/chat/completions" if upstream == CHAT else "/v1/messages")
    assert (call.header("authorization"), call.header("x-api-key")) == (
        ("Bearer lab-secret", None) if upstream == CHAT else (None, "lab-secret")
    )
    assert lab.gateway.key not in str(call.headers)
    names = [name.lower() for name, _ in call.headers]
    assert sorted(set(names)) == sorted(names), "some servers refuse a header that is sent twice"
    assert lab.asked["model"] == "upstream-model"
    assert lab.asked["messages"][-1]["role"] == "user"
    assert lab.asked["messages"][-1]["content"] in ("hi", [{"type": "text", "text": "hi"}])


@UPSTREAMS
async def test_openai_plain(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        answer = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}], max_completion_tokens=64
        )
        assert answer.choices[0].message.content == TEXT
        assert answer.choices[0].finish_reason == "stop"
        assert answer.object == "chat.completion"
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (7, 3, 10)
        check_asked(lab, upstream)
        limit = "max_tokens" if upstream == MESSAGES else "max_completion_tokens"
        assert lab.asked[limit] == 64
        (row,) = await lab.gateway.rows()
    assert (row.client, row.client_protocol, row.upstream_protocol) == ("openai-python", CHAT, upstream)
    assert (row.input_tokens, row.output_tokens, row.finish) == (7, 3, "stop")


@UPSTREAMS
async def test_openai_streaming(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        stream = await lab.openai.chat.completions.create(
            model="test-model",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk.id for chunk in chunks}) == 1
        usage = chunks[-1].usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens, chunks[-1].choices) == (7, 3, [])
        check_asked(lab, upstream)
        assert lab.asked["stream"] is True


@UPSTREAMS
async def test_openai_streaming_without_asking_for_usage(tmp_path: Path, upstream: str) -> None:
    """The gateway asks for usage in any case, and keeps it to itself."""
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        stream = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        chunks = [chunk async for chunk in stream]
        assert all(chunk.choices and not chunk.usage for chunk in chunks)
        (row,) = await lab.gateway.rows()
    assert (row.input_tokens, row.output_tokens, row.usage_source) == (7, 3, "upstream")


@UPSTREAMS
async def test_openai_stream_helper(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        async with lab.openai.chat.completions.stream(
            model="test-model", messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            deltas = [event.delta async for event in stream if event.type == "content.delta"]
            final = await stream.get_final_completion()
        assert "".join(deltas) == final.choices[0].message.content == TEXT
        assert final.choices[0].finish_reason == "stop"


@UPSTREAMS
async def test_anthropic_plain(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        answer = await lab.anthropic.messages.create(
            model="test-model",
            max_tokens=64,
            system="Be brief.",
            messages=[{"role": "user", "content": "hi"}],
        )
        assert [block.model_dump(include={"type", "text"}) for block in answer.content] == [
            {"type": "text", "text": TEXT}
        ]
        assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)
        check_asked(lab, upstream)
        assert lab.asked["max_tokens"] == 64
        told = lab.asked["messages"][0] if upstream == CHAT else {"role": "system", "content": lab.asked["system"]}
        assert told == {"role": "system", "content": "Be brief."}
        (row,) = await lab.gateway.rows()
    assert (row.client, row.client_protocol, row.upstream_protocol) == ("anthropic-python", MESSAGES, upstream)
    assert (row.input_tokens, row.output_tokens, row.finish) == (7, 3, "stop")


@UPSTREAMS
async def test_anthropic_streaming(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        stream = await lab.anthropic.messages.create(
            model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}], stream=True
        )
        kinds = [event.type async for event in stream]
        assert kinds[0] == "message_start"
        assert kinds[-2:] == ["message_delta", "message_stop"]
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1
        check_asked(lab, upstream)
        assert lab.asked["stream"] is True


@UPSTREAMS
async def test_anthropic_stream_helper(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:
        async with lab.anthropic.messages.stream(
            model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            told = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        assert told == TEXT
        assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens) == ("end_turn", 7, 3)


@UPSTREAMS
async def test_the_synchronous_clients(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, answering(upstream)) as lab:

        def ask_openai() -> str:
            with OpenAI(base_url=lab.gateway.url + "/v1", api_key=lab.gateway.key, max_retries=0) as client:
                stream = client.chat.completions.create(
                    model="test-model", messages=[{"role": "user", "content": "hi"}], stream=True
                )
                return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

        def ask_anthropic() -> str:
            with (
                Anthropic(base_url=lab.gateway.url, api_key=lab.gateway.key, max_retries=0) as client,
                client.messages.stream(
                    model="test-model", max_tokens=64, messages=[{"role": "user", "content": "hi"}]
                ) as stream,
            ):
                return stream.get_final_text()

        assert await asyncio.to_thread(ask_openai) == TEXT
        assert await asyncio.to_thread(ask_anthropic) == TEXT
        assert {row.client for row in await lab.gateway.rows(2)} == {"openai-python", "anthropic-python"}


async def both(lab: Lab, answer: Answer) -> tuple[list[str | None], list[str | None]]:
    """How an answer ended for each client, whole and streamed: OpenAI's words, Anthropic's words."""
    lab.upstream.script = telling(answer)
    whole = await lab.openai.chat.completions.create(
        model="test-model", messages=[{"role": "user", "content": "hi"}], max_completion_tokens=3, stop=["END"]
    )
    stream = await lab.openai.chat.completions.create(
        model="test-model", messages=[{"role": "user", "content": "hi"}], stream=True, stop=["END"]
    )
    finishes = [chunk.choices[0].finish_reason async for chunk in stream if chunk.choices]
    message = await lab.anthropic.messages.create(
        model="test-model", max_tokens=3, messages=[{"role": "user", "content": "hi"}], stop_sequences=["END"]
    )
    async with lab.anthropic.messages.stream(
        model="test-model", max_tokens=3, messages=[{"role": "user", "content": "hi"}], stop_sequences=["END"]
    ) as told:
        streamed = await told.get_final_message()
    return [whole.choices[0].finish_reason, finishes[-1]], [message.stop_reason, streamed.stop_reason]


@UPSTREAMS
async def test_token_limit(tmp_path: Path, upstream: str) -> None:
    answer = text(upstream, "Hello", "length", {"stop_reason": "max_tokens"})
    async with running(tmp_path, upstream, telling(answer)) as lab:
        assert await both(lab, answer) == (["length"] * 2, ["max_tokens"] * 2)
        assert all(call.json().get("max_tokens") == 3 for call in lab.upstream.calls[2:])


@UPSTREAMS
async def test_stop_sequence(tmp_path: Path, upstream: str) -> None:
    """Chat has no word for it: a Messages client is told `end_turn` then, and `stop_sequence` only by Messages."""
    answer = text(upstream, "Hello", "stop", {"stop_reason": "stop_sequence", "stop_sequence": "END"})
    async with running(tmp_path, upstream, telling(answer)) as lab:
        reason = "end_turn" if upstream == CHAT else "stop_sequence"
        assert await both(lab, answer) == (["stop"] * 2, [reason] * 2)
        key = "stop" if upstream == CHAT else "stop_sequences"
        assert [call.json()[key] for call in lab.upstream.calls] == [["END"]] * 4


@UPSTREAMS
async def test_refusal(tmp_path: Path, upstream: str) -> None:
    """Chat says a refusal in the message, Messages in the stop reason and its details; each client gets its own form."""
    answer = refusal(upstream)
    async with running(tmp_path, upstream, telling(answer)) as lab:
        openai, anthropic = await both(lab, answer)
        assert anthropic == ["refusal"] * 2
        assert openai == (["stop"] * 2 if upstream == CHAT else ["content_filter"] * 2)
        whole = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}]
        )
        message = await lab.anthropic.messages.create(
            model="test-model", max_tokens=3, messages=[{"role": "user", "content": "hi"}]
        )
    said = whole.choices[0].message
    words = "I cannot help with that."
    assert (said.refusal, said.content) == ((words, None) if upstream == CHAT else ("Not allowed.", words))
    assert [block.text for block in message.content if block.type == "text"] == [words]


@UPSTREAMS
async def test_cache_usage(tmp_path: Path, upstream: str) -> None:
    """100 tokens in: OpenAI counts cached ones in the total, Anthropic beside it."""
    async with running(tmp_path, upstream, telling(cached(upstream))) as lab:
        whole = await lab.openai.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}]
        )
        async with lab.anthropic.messages.stream(
            model="test-model",
            max_tokens=64,
            messages=[
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}],
                }
            ],
        ) as stream:
            usage = (await stream.get_final_message()).usage
        assert whole.usage is not None
        assert whole.usage.prompt_tokens_details is not None
        assert (whole.usage.prompt_tokens, whole.usage.prompt_tokens_details.cached_tokens) == (100, 60)
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (10, 60, 30)
        row, other = await lab.gateway.rows(2)
    for one in (row, other):
        written = one.cache_write_5m_tokens + one.cache_write_1h_tokens
        assert (one.input_tokens, one.cache_read_tokens, written, one.output_tokens) == (10, 60, 30, 3)
