from anykey.conversation.losses import LossLog
from anykey.conversation.tools import FunctionTool, HostedTool, ToolChoice
from anykey.protocols.openai_chat.web_search import decode_options, decode_vendor_tool, encode_options
from tests.unit.protocols.openai_chat.samples import FULL, PLAIN, asking, decode, encode

SEARCH = HostedTool(
    "anthropic_messages",
    "web_search_20250305",
    "web_search",
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 2, "response_inclusion": "full"},
    purpose="web_search",
    options={"max_uses": 2, "user_location": {"city": "Bonn"}},
)


def test_what_of_the_options_crosses() -> None:
    place = {"type": "approximate", "approximate": {"country": "DE"}}
    tool = decode_options({"search_context_size": "high", "user_location": place})
    assert tool.options == {"context_size": "high", "user_location": {"country": "DE"}}
    assert tool.purpose == "web_search"


def test_a_vendors_search_has_a_purpose_and_other_tools_have_none() -> None:
    assert decode_vendor_tool(
        "web_search", {"type": "web_search", "web_search": {"allowed_domains": ["a"]}}
    ).options == {"allowed_domains": ["a"]}
    assert decode_vendor_tool("builtin_function", {}).purpose is None


def test_another_protocols_search() -> None:
    log = LossLog("request")
    place = {"type": "approximate", "approximate": {"city": "Bonn"}}
    assert encode_options(SEARCH, "tools[0]", log) == {"user_location": place}
    assert [loss.path for loss in log.losses] == ["tools[0].max_uses", "tools[0].response_inclusion"]


def test_only_a_model_that_searches_is_asked_to() -> None:
    request = decode(web_search_options={"search_context_size": "low"})
    assert encode(request, FULL)[0]["web_search_options"] == {"search_context_size": "low"}
    body, losses = encode(request, PLAIN)
    assert "web_search_options" not in body
    assert losses == ["dropped:tools[0]"]


def test_a_second_search_is_named() -> None:
    body, losses = encode(asking(tools=(SEARCH, SEARCH)), FULL)
    assert "web_search_options" in body
    assert losses[-1] == "dropped:tools[1]"


def test_a_choice_of_a_hosted_tool_is_no_choice_of_a_function() -> None:
    tools = (FunctionTool("f"), SEARCH)
    body, losses = encode(asking(tools=tools, tool_choice=ToolChoice("named", ("web_search",))), FULL)
    assert "tool_choice" not in body
    assert "dropped:tool_choice" in losses
