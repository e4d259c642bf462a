"""Tools through the OpenAI SDK's `responses`, over an upstream of each protocol: functions, free-text tools, namespaces, and the
turn after them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.agents import GEMINI, RESPONSES, signature_of, thinking_gemini, thinking_responses
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.thinking import SIGNATURE, thinking_messages
from tests.sdk import said_gemini, said_responses
from tests.sdk.lab import Lab, running
from tests.sdk.said import (
    CALL_IDS,
    CALLS,
    FOUR,
    PATCH,
    THOUGHT,
    Answer,
    Json,
    chat,
    free_text_call,
    gemini,
    responses,
    telling,
    text,
    thinking,
    two_calls,
)

UPSTREAMS = pytest.mark.parametrize("upstream", FOUR)
STREAM = pytest.mark.parametrize("stream", [False, True])
WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
PATCHER: Json = {"type": "custom", "name": "patch", "description": "Edits files."}


async def final(lab: Lab, *, stream: bool, **asked: Any) -> Any:
    """The answer, whole or as the SDK puts it together."""
    if not stream:
        client: Any = lab.openai  # which of its overloads is meant cannot be told of keywords in a dict
        return await client.responses.create(model="test-model", **asked)
    async with lab.openai.responses.stream(model="test-model", **asked) as events:
        return await events.get_final_response()


def sent_names(asked: Any) -> list[str]:
    """What the upstream was told the tools are called."""
    if "contents" in asked:
        return [tool["name"] for group in asked["tools"] for tool in group["functionDeclarations"]]
    return [tool.get("function", tool)["name"] for tool in asked["tools"]]


def results_of(asked: Any) -> list[tuple[str, str]]:
    """Call ids (Google: names) and results, in order."""
    if "contents" in asked:
        parts: list[Any] = asked["contents"][-1]["parts"]
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        return [(answer["name"], str(answer["response"])) for answer in answers]
    if "input" in asked:
        items = [item for item in asked["input"] if item.get("type") == "function_call_output"]
        return [(item["call_id"], str(item["output"])) for item in items]
    found: list[tuple[str, str]] = []
    for message in asked["messages"]:
        if message["role"] == "tool":
            found.append((message["tool_call_id"], str(message["content"])))
        elif isinstance(message["content"], list):
            blocks = [block for block in message["content"] if block["type"] == "tool_result"]
            found += [(block["tool_use_id"], str(block["content"])) for block in blocks]
    return found


@UPSTREAMS
@STREAM
async def test_parallel_calls_and_the_turn_after_them(tmp_path: Path, upstream: str, stream: bool) -> None:
    async with running(tmp_path, upstream, telling(two_calls(upstream), text(upstream, "Done."))) as lab:
        first = await final(lab, stream=stream, input="Weather?", tools=[WEATHER], store=False)
        assert first.output_text == "Looking."
        calls = [item for item in first.output if item.type == "function_call"]
        assert [(call.name, json.loads(call.arguments)) for call in calls] == list(CALLS)
        assert all(call.id.startswith("fc_") for call in calls)
        if upstream != GEMINI:
            assert [call.call_id for call in calls] == list(CALL_IDS)
        assert sent_names(lab.asked) == ["get_weather"]
        history: list[Any] = [{"role": "user", "content": "Weather?"}]
        history += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": call.name} for call in calls]
        second = await final(lab, stream=stream, input=[*history, *results], tools=[WEATHER], store=False)
        assert second.output_text == "Done."
        given = ["get_weather"] * 2 if upstream == GEMINI else list(CALL_IDS)
        assert [name for name, _ in results_of(lab.asked)] == given
        assert all("get_weather" in told for _, told in results_of(lab.asked))


def patching(upstream: str) -> Answer:
    """A call of `patch` with one free text."""
    spelled = json.dumps({"input": PATCH})
    if upstream == MESSAGES:
        return free_text_call()
    if upstream == GEMINI:
        return gemini([said_gemini.call("patch", {"input": PATCH})], said_gemini.usage(40, 20))
    if upstream == RESPONSES:
        item: Json = {
            "type": "custom_tool_call",
            "id": "ctc_1",
            "call_id": CALL_IDS[0],
            "name": "patch",
            "input": PATCH,
        }
        done = said_responses.whole([item], said_responses.usage(40, 20))
        events: list[Json] = [
            {"type": "response.created", "response": {**done, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "input": ""}},
            {
                "type": "response.custom_tool_call_input.delta",
                "output_index": 0,
                "item_id": "ctc_1",
                "delta": PATCH,
            },
            {"type": "response.custom_tool_call_input.done", "output_index": 0, "item_id": "ctc_1", "input": PATCH},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": done},
        ]
        told = [f"data: {json.dumps({**event, 'sequence_number': n})}\n\n" for n, event in enumerate(events)]
        return Answer(done, told)
    call: Json = {"id": CALL_IDS[0], "type": "function", "function": {"name": "patch", "arguments": spelled}}
    cut = [{**call, "index": 0, "function": {"name": "patch", "arguments": spelled[:31]}}]
    rest = [{"index": 0, "function": {"arguments": spelled[31:]}}]
    usage = {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60}
    return chat(
        {"content": None, "tool_calls": [call]}, [{"tool_calls": cut}, {"tool_calls": rest}], "tool_calls", usage
    )


@UPSTREAMS
@STREAM
async def test_a_free_text_tool(tmp_path: Path, upstream: str, stream: bool) -> None:
    async with running(tmp_path, upstream, telling(patching(upstream), text(upstream, "Done."))) as lab:
        first = await final(lab, stream=stream, input="Edit.", tools=[PATCHER], store=False)
        (call,) = first.output
        assert (call.type, call.name, call.input) == ("custom_tool_call", "patch", PATCH)
        assert call.id.startswith("ctc_")
        result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "edited"}
        history: list[Any] = [{"role": "user", "content": "Edit."}, call.model_dump(exclude_none=True), result]
        assert (await final(lab, stream=stream, input=history, tools=[PATCHER], store=False)).output_text == "Done."
        asked = json.dumps(lab.asked, ensure_ascii=False)
    assert "edited" in asked
    assert json.dumps(PATCH, ensure_ascii=False)[1:-1].replace("\\", "") in asked.replace("\\", "")


@UPSTREAMS
@STREAM
async def test_a_tool_of_a_namespace(tmp_path: Path, upstream: str, stream: bool) -> None:
    """Two tools of one name, told apart by their groups. A flat list calls them by group and name."""
    groups: list[Any] = [
        {"type": "namespace", "name": group, "description": f"Of {group}.", "tools": [WEATHER]}
        for group in ("sky", "sea")
    ]
    name, arguments = "sea__get_weather", json.dumps(CALLS[0][1])
    if upstream == RESPONSES:
        item = {**said_responses.call(CALL_IDS[0], "get_weather", arguments), "namespace": "sea"}
        answer = responses([item], said_responses.usage(40, 20))
    elif upstream == GEMINI:
        answer = gemini([said_gemini.call(name, CALLS[0][1])], said_gemini.usage(40, 20))
    else:
        answer = renamed(two_calls(upstream), name)
    async with running(tmp_path, upstream, telling(answer)) as lab:
        told = await final(lab, stream=stream, input="Weather?", tools=groups, store=False)
        call = next(item for item in told.output if item.type == "function_call")
        assert (call.name, call.namespace) == ("get_weather", "sea")
        if upstream == RESPONSES:
            assert [tool["name"] for tool in lab.asked["tools"]] == ["sky", "sea"]
        else:
            assert sent_names(lab.asked) == ["sky__get_weather", "sea__get_weather"]


def renamed(answer: Answer, name: str) -> Answer:
    """`answer` with calls of this tool."""
    spelled = [event.replace("get_weather", name) for event in answer.stream]
    return Answer(json.loads(json.dumps(answer.whole).replace("get_weather", name)), spelled)


@pytest.mark.parametrize("upstream", [MESSAGES, GEMINI, RESPONSES])
@STREAM
async def test_the_state_of_reasoning_comes_back(tmp_path: Path, upstream: str, stream: bool) -> None:
    """What a client that keeps nothing at the server sends: all items, encrypted content included."""
    scripts: Any = {MESSAGES: thinking_messages, GEMINI: thinking_gemini, RESPONSES: thinking_responses}
    read: Json = {"type": "function", "name": "read", "parameters": {"type": "object"}, "strict": False}
    async with running(tmp_path, upstream, scripts[upstream]("why", 1)) as lab:
        asked: Any = {"tools": [read], "store": False, "include": ["reasoning.encrypted_content"]}
        first = await final(lab, stream=stream, input="hi", **asked)
        history: list[Any] = [{"role": "user", "content": "hi"}]
        history += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
        call = next(item for item in first.output if item.type == "function_call")
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": "done"})
        sealed = next(item for item in first.output if item.type == "reasoning").encrypted_content
        assert sealed
        await final(lab, stream=stream, input=history, **asked)
        told = json.dumps(lab.asked)
    made = SIGNATURE if upstream == MESSAGES else signature_of(1)
    assert json.dumps(made)[1:-1] in told
    assert upstream == RESPONSES or sealed not in told


async def test_chat_reasoning_comes_back_as_text(tmp_path: Path) -> None:
    async with running(tmp_path, CHAT, telling(thinking(CHAT), text(CHAT, "Done."))) as lab:
        first = await final(lab, stream=False, input="hi", store=False)
        history: list[Any] = [{"role": "user", "content": "hi"}]
        history += [item.model_dump(exclude_none=True) for item in first.output]
        await final(lab, stream=False, input=[*history, {"role": "user", "content": "more"}], store=False)
        assert lab.asked["messages"][1]["reasoning_content"] == THOUGHT
