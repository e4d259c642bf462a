"""Stateful Responses through the official SDK, over an upstream that speaks Chat Completions and keeps nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError

from anykey.administration.keys import create_key
from tests.fakes.answers import CHAT
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer
from tests.sdk.lab import Lab, running
from tests.sdk.said import CALLS, telling, text, two_calls

FIRST, SECOND = text(CHAT, "The first answer."), text(CHAT, "The second answer.")


def client_of(gateway: RunningGateway, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=gateway.url + "/v1", api_key=key, max_retries=0, timeout=10)


def turns(asked: Any) -> list[tuple[str, str]]:
    """Who said what in the messages that the upstream got."""
    found: list[tuple[str, str]] = []
    for message in asked["messages"]:
        content = message["content"]
        said = content if isinstance(content, str) else "".join(part["text"] for part in content)
        found.append((message["role"], said))
    return found


@asynccontextmanager
async def two_keys(directory: Path) -> AsyncGenerator[tuple[Lab, AsyncOpenAI]]:
    """A gateway, and the client of another of its keys."""
    async with running(directory, CHAT, telling(FIRST, SECOND)) as laboratory:
        other = create_key(laboratory.gateway.home, "other").text
        async with client_of(laboratory.gateway, other) as stranger:
            yield laboratory, stranger


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_is_continued(tmp_path: Path, stream: bool) -> None:
    async with running(tmp_path, CHAT, telling(FIRST, SECOND)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one", instructions="Be brief.")
        assert (first.status, first.output_text) == ("completed", "The first answer.")
        assert first.to_dict()["store"] is True
        if stream:
            events = [
                event
                async for event in await lab.openai.responses.create(
                    model="test-model", input="two", previous_response_id=first.id, stream=True
                )
            ]
            assert events[-1].type == "response.completed"
            second = events[-1].response
            assert [event.sequence_number for event in events] == list(range(len(events)))
        else:
            second = await lab.openai.responses.create(model="test-model", input="two", previous_response_id=first.id)
        assert (second.output_text, second.previous_response_id) == ("The second answer.", first.id)
        assert turns(lab.asked) == [("user", "one"), ("assistant", "The first answer."), ("user", "two")]
        again = await lab.openai.responses.retrieve(second.id)
        assert again == second
        listed = [item async for item in lab.openai.responses.input_items.list(second.id, order="asc", limit=2)]
        assert [item.to_dict()["role"] for item in listed] == ["user", "assistant", "user"]
        assert len({item.id for item in listed}) == 3


async def test_tool_calls_cross_the_memory(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(two_calls(CHAT), SECOND)) as lab:
        tool: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": False}
        first = await lab.openai.responses.create(model="test-model", input="Weather?", tools=[tool])
        made = [item for item in first.output if item.type == "function_call"]
        assert len(made) == len(CALLS)
        results: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "sun"} for call in made]
        second = await lab.openai.responses.create(
            model="test-model", input=results, tools=[tool], previous_response_id=first.id
        )
        assert second.output_text == "The second answer."
        roles = [message["role"] for message in lab.asked["messages"]]
        assert roles == ["user", "assistant", "tool", "tool"]
        assert [call["id"] for call in lab.asked["messages"][1]["tool_calls"]] == [call.call_id for call in made]


async def test_items_are_referred_to_by_their_ids(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST, SECOND)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one")
        (item,) = first.output
        more: Any = [{"role": "user", "content": "one"}, {"type": "item_reference", "id": item.id}]
        await lab.openai.responses.create(
            model="test-model", input=[*more, {"role": "user", "content": "two"}], store=False
        )
        assert turns(lab.asked) == [("user", "one"), ("assistant", "The first answer."), ("user", "two")]


async def test_what_is_not_to_be_stored_is_not(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one", store=False)
        with pytest.raises(NotFoundError):
            await lab.openai.responses.retrieve(first.id)


async def test_deleted_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one")
        await lab.openai.responses.delete(first.id)
        for call in (lab.openai.responses.retrieve, lab.openai.responses.delete, lab.openai.responses.cancel):
            with pytest.raises(NotFoundError):
                await call(first.id)
        with pytest.raises(BadRequestError) as refused:
            await lab.openai.responses.create(model="test-model", input="two", previous_response_id=first.id)
        assert refused.value.code == "previous_response_not_found"


async def test_a_response_is_invisible_to_another_key(tmp_path: Path) -> None:
    async with two_keys(tmp_path) as (lab, stranger):
        mine = await lab.openai.responses.create(model="test-model", input="one", background=True)
        conversation = await lab.openai.conversations.create(items=[{"role": "user", "content": "secret"}])

        async def told(call: Any, **named: Any) -> tuple[int, str]:
            """What a stranger is told, without the id."""
            with pytest.raises(APIStatusError) as refused:
                await call(**named)
            body: Any = refused.value.body
            for name in (mine.id, conversation.id, "resp_0", "conv_0"):
                body = {**body, "message": body["message"].replace(name, "ID")}
            return refused.value.status_code, str(body)

        responses, conversations = stranger.responses, stranger.conversations
        for call in (responses.retrieve, responses.cancel, responses.delete, responses.input_items.list):
            real, invented = [await told(call, response_id=name) for name in (mine.id, "resp_0")]
            assert real == invented
            assert real[0] == 404
        for call in (conversations.retrieve, conversations.delete, conversations.items.list):
            real, invented = [await told(call, conversation_id=name) for name in (conversation.id, "conv_0")]
            assert real == invented
            assert real[0] == 404
        for field, names, status in (
            ("previous_response_id", (mine.id, "resp_0"), 400),
            ("conversation", (conversation.id, "conv_0"), 404),
        ):
            real, invented = [
                await told(responses.create, model="test-model", input="?", **{field: name}) for name in names
            ]
            assert real == invented
            assert real[0] == status
        assert (await lab.openai.responses.retrieve(mine.id)).id == mine.id


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    async with WireServer(telling(FIRST, FIRST, SECOND)) as upstream:
        config = lab(CHAT, upstream.url)
        async with RunningGateway(tmp_path, config) as gateway, client_of(gateway, gateway.key) as client:
            key = gateway.key
            first = await client.responses.create(model="test-model", input="one")
            later = await client.responses.create(model="test-model", input="one", background=True)
            told = await finished(client, later.id)
        async with RunningGateway(tmp_path, config, key_name="new") as gateway, client_of(gateway, key) as client:
            assert await client.responses.retrieve(first.id) == first
            assert await client.responses.retrieve(later.id) == told
            second = await client.responses.create(model="test-model", input="two", previous_response_id=first.id)
            assert second.output_text == "The second answer."
            assert turns(upstream.calls[-1].json())[1] == ("assistant", "The first answer.")
            events = [event async for event in await client.responses.retrieve(later.id, stream=True)]
            assert events[-1].type == "response.completed"


async def finished(client: AsyncOpenAI, response_id: str) -> Any:
    """Poll until the response is no longer under way."""
    for _ in range(200):
        response = await client.responses.retrieve(response_id)
        if response.status not in {"queued", "in_progress"}:
            return response
        await asyncio.sleep(0.02)
    return pytest.fail("the response did not end")


class Gate:
    """An upstream that says half of its answer, and the rest when it is let."""

    def __init__(self) -> None:
        self.half = asyncio.Event()
        self.open = asyncio.Event()
        self.gone_at: float | None = None

    async def script(self, _: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*FIRST.stream[:2])
        self.half.set()
        while not self.open.is_set() and self.gone_at is None:
            self.gone_at = await connection.client_gone(0.01)
        if self.gone_at is None:
            await connection.sse(*FIRST.stream[2:])
            await connection.sse_end()


async def test_background_is_queued_polled_and_completed(tmp_path: Path) -> None:
    gate = Gate()
    async with running(tmp_path, CHAT, gate.script) as lab:
        queued = await lab.openai.responses.create(
            model="test-model", input="one", background=True, metadata={"a": "b"}
        )
        assert (queued.status, queued.background, queued.metadata, queued.output) == ("queued", True, {"a": "b"}, [])
        await gate.half.wait()
        for _ in range(100):
            if (await lab.openai.responses.retrieve(queued.id)).status == "in_progress":
                break
        with pytest.raises(BadRequestError, match="still"):
            await lab.openai.responses.create(model="test-model", input="two", previous_response_id=queued.id)
        gate.open.set()
        done = await finished(lab.openai, queued.id)
        assert (done.status, done.output_text, done.id) == ("completed", "The first answer.", queued.id)
        assert (done.background, done.metadata) == (True, {"a": "b"})
        assert (await lab.openai.responses.cancel(queued.id)) == done
        rows = {row.status: row.output_tokens for row in await lab.gateway.rows(2)}
        assert rows == {200: 3, 400: 0}


async def test_a_background_stream_is_left_and_resumed(tmp_path: Path) -> None:
    gate = Gate()
    async with running(tmp_path, CHAT, gate.script) as lab:
        stream = await lab.openai.responses.create(model="test-model", input="one", background=True, stream=True)
        seen: list[Any] = []
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
        await stream.close()
        assert [event.type for event in seen[:3]] == ["response.created", "response.queued", "response.in_progress"]
        response_id = seen[0].response.id
        resumed = await lab.openai.responses.retrieve(response_id, stream=True, starting_after=seen[-1].sequence_number)
        gate.open.set()
        seen += [event async for event in resumed]
        assert [event.sequence_number for event in seen] == list(range(len(seen)))
        assert (
            "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "The first answer."
        )
        assert (seen[-1].type, seen[-1].response.id) == ("response.completed", response_id)
        replayed = [event async for event in await lab.openai.responses.retrieve(response_id, stream=True)]
        assert replayed == seen


async def test_a_background_response_is_cancelled_upstream_too(tmp_path: Path) -> None:
    gate = Gate()
    async with running(tmp_path, CHAT, gate.script) as lab:
        queued = await lab.openai.responses.create(model="test-model", input="one", background=True)
        await gate.half.wait()
        cancelled = await lab.openai.responses.cancel(queued.id)
        assert (cancelled.status, cancelled.id) == ("cancelled", queued.id)
        assert (await lab.openai.responses.retrieve(queued.id)).status == "cancelled"
        for _ in range(100):
            if gate.gone_at is not None:
                break
            await asyncio.sleep(0.01)
        assert gate.gone_at is not None


async def test_only_background_responses_are_cancelled_or_streamed_again(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one")
        with pytest.raises(BadRequestError, match="background"):
            await lab.openai.responses.cancel(first.id)
        with pytest.raises(BadRequestError, match="background"):
            await lab.openai.responses.retrieve(first.id, stream=True)


async def test_a_conversation_grows_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST, SECOND)) as lab:
        conversations = lab.openai.conversations
        made = await conversations.create(items=[{"role": "user", "content": "zero"}], metadata={"topic": "x"})
        first = await lab.openai.responses.create(model="test-model", input="one", conversation=made.id)
        assert first.conversation is not None
        assert first.conversation.id == made.id
        stream = await lab.openai.responses.create(
            model="test-model", input="two", conversation={"id": made.id}, stream=True
        )
        assert [event async for event in stream][-1].type == "response.completed"
        said = ["zero", "one", "The first answer.", "two", "The second answer."]
        assert [turn for _, turn in turns(lab.asked)] == said[:4]
        items: list[Any] = [item async for item in conversations.items.list(made.id, order="asc", limit=2)]
        assert [item.content[0].text for item in items] == said
        one = await conversations.items.retrieve(items[1].id, conversation_id=made.id)
        assert one == items[1]
        await conversations.items.delete(items[1].id, conversation_id=made.id)
        added = await conversations.items.create(made.id, items=[{"role": "user", "content": "three"}])
        left = [item async for item in conversations.items.list(made.id)]
        assert [item.id for item in left] == [added.first_id, items[4].id, items[3].id, items[2].id, items[0].id]
        assert (await conversations.update(made.id, metadata={"topic": "y"})).metadata == {"topic": "y"}
        assert (await conversations.retrieve(made.id)).metadata == {"topic": "y"}
        assert (await conversations.delete(made.id)).deleted is True
        with pytest.raises(NotFoundError):
            await conversations.retrieve(made.id)


async def test_a_conversation_is_compacted(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(FIRST, text(CHAT, "They talked."), SECOND)) as lab:
        first = await lab.openai.responses.create(model="test-model", input="one")
        short = await lab.openai.responses.compact(model="test-model", previous_response_id=first.id, input="two")
        assert (short.object, [item.type for item in short.output]) == (
            "response.compaction",
            ["message", "message", "compaction"],
        )
        assert short.usage.total_tokens == 10
        more: Any = [*(item.to_dict(warnings=False) for item in short.output), {"role": "user", "content": "three"}]
        await lab.openai.responses.create(model="test-model", input=more)
        assert any("They talked." in turn for _, turn in turns(lab.asked))
        assert turns(lab.asked)[-1] == ("user", "three")


async def test_a_gateway_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    async with WireServer(telling(FIRST)) as upstream:
        config = lab(CHAT, upstream.url) + "[responses]\nstore = false\n"
        async with RunningGateway(tmp_path, config) as gateway, client_of(gateway, gateway.key) as client:
            first = await client.responses.create(model="test-model", input="one")
            assert (first.output_text, first.to_dict()["store"]) == ("The first answer.", False)
            asked: list[dict[str, Any]] = [
                {"previous_response_id": first.id},
                {"conversation": "conv_1"},
                {"background": True},
            ]
            for fields in asked:
                with pytest.raises(BadRequestError, match=r"\[responses\] store is false"):
                    await client.responses.create(model="test-model", input="two", **fields)
            assert len(upstream.calls) == 1
