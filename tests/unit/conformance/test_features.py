"""The table of features: complete, and every question can be asked in every protocol."""

from anykey.conformance.features import FEATURES, question
from anykey.conformance.line import Line
from anykey.conformance.run import CALLS, PROTOCOLS
from anykey.conformance.speaker import Speaker
from anykey.upstream.client import UpstreamClient
from tests.fakes.gateway import RunningGateway
from tests.unit.conformance.conftest import line_to

PROMISED = {
    "text",
    "system",
    "multi_turn",
    "tool",
    "parallel_tools",
    "tool_result",
    "tool_result_image",
    "tool_result_error",
    "thinking",
    "structured_output",
    "image",
    "pdf",
    "stop",
    "limit",
    "cached_usage",
    "custom_tool",
    "namespace_tool",
    "unknown_model",
    "wrong_key",
    "wrong_field",
    "count_tokens",
    "models",
}


def test_every_promise_has_its_feature_and_a_name_of_its_own() -> None:
    assert [feature.name for feature in FEATURES[:1]] == ["text"]  # the run learns from it whether a protocol is served
    assert len(FEATURES) == len(PROMISED)
    assert {feature.name for feature in FEATURES} == PROMISED


async def test_a_question_is_spelled_without_a_loss_in_every_protocol() -> None:
    client = UpstreamClient()
    line = Line(client, "http://127.0.0.1:1", "k", 1)
    for protocol in PROTOCOLS:
        encoded = Speaker(protocol, "m", line).spell(question("m", "hello there"))
        assert b"hello there" in encoded.body
        assert not encoded.losses
    await client.aclose()


async def test_every_feature_passes_or_is_explained_on_the_demo_model(gateway: RunningGateway) -> None:
    """Through Messages; ``test_run`` goes through all four."""
    async with line_to(gateway.url, gateway.key) as line:
        verdicts = {
            feature.name: await feature.probe(Speaker("anthropic_messages", "demo", line), "whole")
            for feature in FEATURES
        }
        assert line.calls * 8 > CALLS * 0.9
    short = {name: verdict for name, verdict in verdicts.items() if verdict.outcome != "pass"}
    assert {name: verdict.outcome for name, verdict in short.items() if name != "cached_usage"} == {
        "custom_tool": "absent",
        "namespace_tool": "absent",
    }
