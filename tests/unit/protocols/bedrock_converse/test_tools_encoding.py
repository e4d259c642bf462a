from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, Json, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, ToolChoice
from anykey.protocols.bedrock_converse.cache import CacheWriter
from anykey.protocols.bedrock_converse.dialect import dialect
from anykey.protocols.bedrock_converse.tools_encoding import ToolConfig, encode_tool_config

RUN, STOP = FunctionTool("run", "Runs.", {"type": "object"}), FunctionTool("stop", "")
CALLED = (Message("assistant", (ToolCallPart("c", "old tool", "{}"),)),)
PLAIN: Json = {"json": {"type": "object", "properties": {}}}


def sent(
    *tools: Any, messages: tuple[Message, ...] = (), thinking: bool = False, fields: Json | None = None, **more: Any
) -> tuple[ToolConfig, list[str]]:
    log = LossLog("request")
    spoken = dialect(fields or {})
    request = GenerateRequest("m", messages, tools=tools, **more)
    found = encode_tool_config(request, spoken, CacheWriter(spoken, log), log, thinking=thinking)
    return found, [f"{loss.kind}:{loss.path}" for loss in log.losses]


def names(found: ToolConfig) -> list[str]:
    return [tool["toolSpec"]["name"] for tool in (found.wire or {"tools": []})["tools"]]


def test_tools() -> None:
    found, losses = sent(RUN, STOP)
    run = {"toolSpec": {"name": "run", "description": "Runs.", "inputSchema": {"json": {"type": "object"}}}}
    assert found == ToolConfig({"tools": [run, {"toolSpec": {"name": "stop", "inputSchema": PLAIN}}]})
    assert losses == []
    assert sent() == (ToolConfig(None), [])


def test_tools_that_only_others_run_are_named() -> None:
    hosted = HostedTool("anthropic_messages", "web_search_20250305", "web_search", {})
    found, losses = sent(RUN, hosted, CustomTool("free"))
    assert names(found) == ["run"]
    assert losses == ["dropped:tools[1]", "dropped:tools[2]"]


def test_strict_and_cache_by_dialect() -> None:
    tool = FunctionTool("run", strict=True, cache=CacheHint(), extras={"openai_chat": {"x": 1}})
    _, losses = sent(tool)
    assert losses == ["dropped:tools[0].strict", "dropped:tools[0].x", "dropped:tools[0].cache"]
    found, losses = sent(tool, fields={"strict_tools": True, "cache_points": "all"})
    spec = {"name": "run", "inputSchema": PLAIN, "strict": True}
    assert found.wire == {"tools": [{"toolSpec": spec}, {"cachePoint": {"type": "default"}}]}
    assert losses == ["dropped:tools[0].x"]


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("named", ("run",)), {"tool": {"name": "run"}}),
    ],
)
def test_choices(choice: ToolChoice, wire: Json) -> None:
    found, losses = sent(RUN, tool_choice=choice)
    assert (found.wire or {})["toolChoice"] == wire
    assert losses == []
    if choice.mode != "auto":
        unforced: Json = {"forced_tool_choice": False}
        for found, losses in (
            sent(RUN, tool_choice=choice, thinking=True),
            sent(RUN, tool_choice=choice, fields=unforced),
        ):
            assert (found.wire or {})["toolChoice"] == {"auto": {}}
            assert losses == ["approximated:tool_choice"]


def test_only_the_allowed_are_sent() -> None:
    found, losses = sent(RUN, STOP, tool_choice=ToolChoice("allowed", ("stop",), required=True))
    assert names(found) == ["stop"]
    assert (found.wire or {})["toolChoice"] == {"any": {}}
    assert losses == ["emulated:tools[0]"]


def test_no_tool_may_be_called() -> None:
    none = ToolChoice("none")
    assert sent(RUN, STOP, tool_choice=none) == (ToolConfig(None), ["emulated:tools[0]", "emulated:tools[1]"])
    found, losses = sent(RUN, messages=CALLED, tool_choice=none)
    assert names(found) == ["run"]
    assert found.sentence
    assert "toolChoice" not in (found.wire or {})
    assert losses == ["emulated:tool_choice"]


def test_a_history_needs_tools() -> None:
    found, losses = sent(messages=CALLED, tool_choice=ToolChoice("auto"), parallel_tool_calls=True)
    assert len(names(found)) == 1
    assert found.sentence
    assert losses == ["dropped:tool_choice", "dropped:parallel_tool_calls", "emulated:tools"]
    answered = (Message("user", (ToolResultPart("c"),)),)
    assert names(sent(messages=answered)[0]) == ["tool"]


def test_parallel_calls_have_no_switch() -> None:
    assert sent(RUN, parallel_tool_calls=False)[1] == ["dropped:parallel_tool_calls"]
