"""Hosted tools outside their own protocol: what crosses, and when a call is refused."""

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.hosted import HostedPolicy, HostedRule, purposes, refuse, report_unread, search_options

SEARCH = HostedTool("anthropic_messages", "web_search_20250305", "web_search", {}, purpose="web_search")
DROPPED = [Loss("dropped", "tools[0]", "not here"), Loss("dropped", "tools[1].strict", "x")]


def rule(policy: HostedPolicy = "drop") -> HostedRule:
    return HostedRule(policy, "my-model", "providers.lab.hosted_tools")


def asked(*tools: Tool, choice: ToolChoice | None = None) -> GenerateRequest:
    return GenerateRequest("m", (), tools=tools, tool_choice=choice)


def refused(request: GenerateRequest, of: HostedRule, losses: list[Loss] = DROPPED) -> str | None:
    try:
        refuse(request, losses, of)
    except FailureError as error:
        return error.failure.message
    return None


def test_it_is_the_callers_fault_and_no_use_to_repeat() -> None:
    with pytest.raises(FailureError) as caught:
        refuse(asked(SEARCH), DROPPED, rule())
    failure = caught.value.failure
    assert (failure.kind, failure.param, failure.should_retry) == ("invalid_request", "tools", False)


def test_dropping_is_the_default_where_other_tools_are_left() -> None:
    assert refused(asked(SEARCH, FunctionTool("f")), rule()) is None
    assert refused(asked(SEARCH, FunctionTool("f"), choice=ToolChoice("required")), rule()) is None


def test_a_refusal_names_tool_model_and_setting() -> None:
    told = refused(asked(SEARCH, FunctionTool("f")), rule("reject"))
    assert told is not None
    for word in ("web_search_20250305", "my-model", "providers.lab.hosted_tools", "reject"):
        assert word in told


@pytest.mark.parametrize(
    "choice",
    [
        ToolChoice("named", ("web_search",)),
        ToolChoice("named", ("web_search_20250305",)),
        ToolChoice("allowed", ("web_search",), required=True),
    ],
)
def test_a_demanded_tool_is_not_dropped(choice: ToolChoice) -> None:
    told = refused(asked(SEARCH, FunctionTool("f"), choice=choice), rule())
    assert told is not None
    assert "tool_choice" in told
    assert refused(asked(SEARCH, FunctionTool("f"), choice=ToolChoice("named", ("f",))), rule()) is None


def test_a_demand_that_only_its_own_protocol_can_spell() -> None:
    asking = asked(SEARCH, FunctionTool("f"))
    for kind, needed in (("web_search", True), ("web_search_20250305", True), ("mcp", False)):
        extras = {"openai_responses": {"tool_choice": {"type": kind}, "other": 1}}
        assert bool(refused(msgspec.structs.replace(asking, extras=extras), rule())) is needed


def test_nor_is_the_only_tool() -> None:
    assert refused(asked(SEARCH), rule()) is not None
    fetch = HostedTool("gemini_generate", "urlContext", None, {}, purpose="web_fetch")
    both = [Loss("dropped", "tools[0]", ""), Loss("dropped", "tools[1]", "")]
    assert refused(asked(SEARCH, fetch), rule(), both) is not None


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [Loss("emulated", "tools[0]", "")],
        [Loss("dropped", "tools[0].max_uses", "")],
        [Loss("dropped", "tools[9]", "")],
    ],
)
def test_a_tool_that_was_sent_is_no_reason(losses: list[Loss]) -> None:
    assert refused(asked(SEARCH), rule("reject"), losses) is None


def test_a_dropped_function_is_not_judged_here() -> None:
    assert refused(asked(FunctionTool("f"), SEARCH), rule("reject")) is None


def test_options_hold_what_can_cross_and_nothing_else() -> None:
    location = {"type": "approximate", "city": "Oslo", "country": "NO", "timezone": 1.5}
    assert search_options(allowed=["a.org", 3], blocked=[], max_uses=8, context_size="high", location=location) == {
        "allowed_domains": ["a.org"],
        "max_uses": 8,
        "context_size": "high",
        "user_location": {"country": "NO", "city": "Oslo"},
    }
    assert search_options(allowed="a.org", max_uses=True, context_size="huge", location="Oslo") == {}


def test_purposes_are_words_of_the_model() -> None:
    assert purposes("web_search, web_fetch") == {"web_search", "web_fetch"}
    assert purposes("") == frozenset()
    with pytest.raises(ValueError, match="'browse'"):
        purposes("web_search,browse")


def test_what_no_option_holds_of_a_search_is_a_loss() -> None:
    log = LossLog("request")
    place = {"type": "approximate", "city": "Bern", "x": 1}
    report_unread({"filters": {"allowed_domains": [], "y": 1}, "user_location": place, "z": 1}, "tools[0]", log)
    assert [loss.path for loss in log.losses] == ["tools[0].filters.y", "tools[0].user_location.x"]
