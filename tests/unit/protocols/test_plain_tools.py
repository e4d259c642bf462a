"""Free-text and namespaced tools as functions of one flat list."""

import json

from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.calls import CallMap
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.request import encode_request
from anykey.protocols.plain_tools import FREE_TEXT_SCHEMA, Grammar, grammar_of, plain_names, plain_tools

LARK = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
PATCH = CustomTool("patch", "Edits.", LARK)
READ = FunctionTool("read", "Reads.", {"type": "object"})


def asking(*tools: Tool, calls: tuple[ToolCallPart, ...] = (), choice: ToolChoice | None = None) -> GenerateRequest:
    said = (Message("user", (TextPart("Hi"),)), Message("assistant", calls))
    return GenerateRequest("m", said if calls else said[:1], tools=tools, tool_choice=choice)


def flat(request: GenerateRequest) -> tuple[GenerateRequest, list[str]]:
    plain, losses = plain_tools(request, custom_tools=False, namespaces=False)
    return plain, [f"{loss.kind} {loss.path}" for loss in losses]


def test_plain_tools_are_left_as_they_are() -> None:
    request = asking(READ, HostedTool("openai_chat", "web", None, {}), calls=(ToolCallPart("1", "read", "{}"),))
    assert plain_tools(request, custom_tools=False, namespaces=False).value is request
    custom = asking(PATCH)
    assert plain_tools(custom, custom_tools=True, namespaces=False).value is custom
    grouped = asking(FunctionTool("wait", namespace="agents"))
    assert plain_tools(grouped, custom_tools=True, namespaces=True).value is grouped


def test_a_grammar_is_told_in_the_description() -> None:
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}}
    for form in (LARK, nested):
        plain, losses = flat(asking(CustomTool("patch", "Edits.", form)))
        told = "Edits.\n\nThe input must follow this grammar:\n```lark\nstart: WORD\n```"
        assert plain.tools == (FunctionTool("patch", told, FREE_TEXT_SCHEMA),)
        assert losses == ["emulated tools[0]"]
    assert flat(asking(CustomTool("say", None, {"type": "text"})))[0].tools[0].name == "say"
    assert grammar_of(LARK) == Grammar("lark", "start: WORD")
    assert grammar_of({"type": "grammar", "grammar": "odd"}) is None
    assert grammar_of(None) is None


def test_calls_in_the_history_follow_their_tools() -> None:
    text = '*** Begin "Patch"\n'
    request = asking(
        PATCH,
        FunctionTool("wait", namespace="agents"),
        calls=(
            ToolCallPart("1", "patch", text, "custom"),
            ToolCallPart("2", "wait", "{}", namespace="agents"),
            ToolCallPart("3", "read", "{}"),
        ),
    )
    plain, losses = flat(request)
    first, second, third = plain.messages[1].parts
    assert first == ToolCallPart("1", "patch", json.dumps({"input": text}, separators=(",", ":")))
    assert second == ToolCallPart("2", "agents__wait", "{}")
    assert third == ToolCallPart("3", "read", "{}")
    assert losses == ["emulated tools[0]", "emulated tools[1].namespace"]


def test_a_custom_call_without_its_tool_is_a_function_too() -> None:
    plain, _ = flat(asking(READ, calls=(ToolCallPart("1", "patch", "x", "custom"),)))
    assert plain.messages[1].parts == (ToolCallPart("1", "patch", '{"input":"x"}'),)


def test_names_are_unique_and_the_same_at_every_turn() -> None:
    tools = (FunctionTool("a__b"), FunctionTool("b", namespace="a"), FunctionTool("b", namespace="c"))
    names = plain_names(asking(*tools))
    assert names["c", "b"] == "c__b"
    assert names["a", "b"].startswith("a__b_")
    assert names == plain_names(asking(*tools, calls=(ToolCallPart("1", "b", "{}", namespace="a"),)))


def test_a_choice_means_the_flat_name() -> None:
    tools = (FunctionTool("wait", namespace="agents"), PATCH)
    plain, _ = flat(asking(*tools, choice=ToolChoice("named", ("wait",))))
    assert plain.tool_choice == ToolChoice("named", ("agents__wait",))
    plain, _ = flat(asking(*tools, choice=ToolChoice("named", ("patch",), custom=True)))
    assert plain.tool_choice == ToolChoice("named", ("patch",))


def test_a_namespace_is_described_once() -> None:
    request = GenerateRequest(
        "m",
        (),
        tools=(FunctionTool("a", "First.", namespace="n"), FunctionTool("b", "Second.", namespace="n")),
        extras={"openai_responses": {"tool_layout": {"namespaces": {"n": {"description": "Agents."}}}, "x": 1}},
    )
    plain, _ = flat(request)
    assert [tool.description for tool in plain.tools if isinstance(tool, FunctionTool)] == [
        "First.\n\nThe tools n__*: Agents.",
        "Second.",
    ]
    assert plain.extras == {"openai_responses": {"x": 1}}


def test_chat_without_free_text_tools_sends_their_history_as_functions() -> None:
    calls = (ToolCallPart("1", "patch", "+ line", "custom"),)
    request = asking(PATCH, calls=calls)
    result = Message("tool", (ToolResultPart("1", (TextPart("done"),), kind="custom"),))
    request = GenerateRequest("m", (*request.messages, result), tools=(PATCH,))
    body = json.loads(encode_request(request, Dialect()).body)
    assert body["messages"][1]["tool_calls"] == [
        {"id": "1", "type": "function", "function": {"name": "patch", "arguments": '{"input":"+ line"}'}}
    ]
    assert [tool["type"] for tool in body["tools"]] == ["function"]
    kept = json.loads(encode_request(request, Dialect(custom_tools=True)).body)
    assert kept["messages"][1]["tool_calls"][0]["type"] == "custom"


def test_what_was_sent_flat_is_called_by_its_own_name() -> None:
    tools = (
        FunctionTool("wait", namespace="agents"),
        CustomTool("exec", namespace="functions"),
        FunctionTool("apply_patch", kind="apply_patch"),
    )
    calls = CallMap(asking(*tools))
    assert calls.original("agents__wait") == ("agents", "wait")
    call, reader = calls.begin(ToolCallPart("1", "agents__wait", "{}"))
    assert (call, reader) == (ToolCallPart("1", "wait", "{}", namespace="agents"), None)
    call, reader = calls.begin(ToolCallPart("1", "functions__exec", '{"input":"x"}'))
    assert call == ToolCallPart("1", "exec", "", "custom", namespace="functions")
    assert reader is not None
    call, reader = calls.begin(ToolCallPart("1", "apply_patch", "{}"))
    assert (call.kind, reader) == ("apply_patch", None)
    native = ToolCallPart("1", "exec", "x", "custom", namespace="functions")
    assert calls.begin(native) == (native, None)


def test_what_a_namespace_says_besides_its_description_is_a_loss() -> None:
    layout = {"tool_layout": {"namespaces": {"agents": {"description": "They work.", "x": 1}}}}
    tools = (FunctionTool("wait", namespace="agents"),)
    _, losses = flat(GenerateRequest("m", (), tools=tools, extras={"openai_responses": layout}))
    assert sorted(losses, reverse=True) == ["emulated tools[0].namespace", "dropped tools.agents.x"]
