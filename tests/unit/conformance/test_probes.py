"""The steps of the features with several, against gateways that fail at one of them."""

import json

import pytest

from anykey.conformance import probes
from anykey.conformance.features import FEATURES
from anykey.conformance.line import WRONG_KEY
from anykey.conformance.records import Verdict
from anykey.conformance.speaker import Breach, Refused, Speaker
from anykey.conversation.parts import ProtocolName
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireServer, reply_json
from tests.unit.conformance.conftest import line_to, spoiled

PROBES = {feature.name: feature.probe for feature in FEATURES}


async def verdict_on(reply: object, status: int, probe: str, protocol: ProtocolName = "openai_chat") -> Verdict:
    async with WireServer(reply_json(reply, status)) as server, line_to(server.url, "k") as line:
        return await PROBES[probe](Speaker(protocol, "m", line), "whole")


@pytest.mark.parametrize(
    ("probe", "status", "outcome"),
    [
        ("unknown_model", 404, "pass"),
        ("unknown_model", 500, "fail"),
        ("unknown_model", 200, "fail"),
        ("wrong_key", 401, "pass"),
        ("wrong_key", 400, "fail"),
        ("wrong_field", 422, "pass"),
        ("wrong_field", 502, "fail"),
    ],
)
async def test_an_error_has_its_status(probe: str, status: int, outcome: str) -> None:
    error = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    assert (await verdict_on(error, status, probe)).outcome == outcome


async def test_an_error_has_its_shape() -> None:
    verdict = await verdict_on({"detail": "no"}, 404, "unknown_model")
    assert verdict == Verdict("fail", "error is no object: None")


async def test_counting() -> None:
    assert (await verdict_on({"input_tokens": 90}, 200, "count_tokens", "anthropic_messages")).outcome == "pass"
    assert (await verdict_on({"input_tokens": 3}, 200, "count_tokens", "anthropic_messages")).outcome == "fail"
    assert (await verdict_on({"tokens": 90}, 200, "count_tokens", "openai_responses")).outcome == "fail"
    assert (await verdict_on({}, 200, "count_tokens")).outcome == "absent"
    with pytest.raises(Refused):
        await verdict_on({}, 404, "count_tokens", "gemini_generate")


async def test_models() -> None:
    assert (await verdict_on({"models": []}, 200, "models", "gemini_generate")).outcome == "pass"
    assert (await verdict_on({"data": []}, 200, "models", "gemini_generate")).outcome == "fail"
    with pytest.raises(Refused):
        await verdict_on({}, 500, "models")


async def test_what_a_wrong_call_sends() -> None:
    async with WireServer(reply_json({}, 400)) as server, line_to(server.url, "right") as line:
        speaker = Speaker("gemini_generate", "m", line)
        for probe in ("unknown_model", "wrong_key", "wrong_field"):
            await PROBES[probe](speaker, "stream")
        model, key, field = server.calls
    assert probes.UNKNOWN_MODEL in model.target
    assert (key.header("x-goog-api-key"), field.header("x-goog-api-key")) == (WRONG_KEY, "right")
    assert field.json()["contents"] == 17
    assert "streamGenerateContent" in field.target


async def test_a_turn_goes_back_whole_with_its_result(gateway: RunningGateway) -> None:
    heard: list[RecordedCall] = []

    def listen(call: RecordedCall, reply: WireReply) -> WireReply:
        heard.append(call)
        return reply

    async with spoiled(gateway, listen) as through, line_to(through.url, gateway.key) as line:
        assert (
            await PROBES["tool_result_error"](Speaker("anthropic_messages", "demo", line), "stream")
        ).outcome == "pass"
        assert (await PROBES["thinking"](Speaker("anthropic_messages", "demo", line), "whole")).outcome == "pass"
    first, second, asked, thought = (call.json() for call in heard)
    assert first["tool_choice"] == {"type": "tool", "name": "get_weather"}
    call, result = second["messages"][-2]["content"][-1], second["messages"][-1]["content"][0]
    assert result["tool_use_id"] == call["id"]
    assert result["is_error"] is True
    assert asked["thinking"]["type"] == "enabled"
    assert thought["messages"][-2]["content"][0]["signature"]


async def test_thoughts_that_are_not_taken_back_are_a_breach(gateway: RunningGateway) -> None:
    def forgetful(call: RecordedCall, reply: WireReply) -> WireReply:
        if b"tool_result" not in call.body:
            return reply
        body = {"type": "error", "error": {"type": "invalid_request_error", "message": "Invalid signature"}}
        return reply._replace(status=400, body=json.dumps(body).encode())

    async with spoiled(gateway, forgetful) as bad, line_to(bad.url, gateway.key) as line:
        with pytest.raises(Breach, match="not taken back: HTTP 400"):
            await PROBES["thinking"](Speaker("anthropic_messages", "demo", line), "whole")


def _without_tools(call: RecordedCall, reply: WireReply) -> WireReply:
    """As if the model had ignored the tools."""
    del call
    said = {"role": "assistant", "content": "I would rather talk."}
    value = reply.json()
    value["choices"] = [{"index": 0, "message": said, "finish_reason": "stop"}]
    return reply._replace(body=json.dumps(value).encode())


async def test_a_call_that_was_forced_must_come_and_a_thought_may(gateway: RunningGateway) -> None:
    async with spoiled(gateway, _without_tools) as bad, line_to(bad.url, gateway.key) as line:
        speaker = Speaker("openai_chat", "demo", line)
        assert (await PROBES["tool_result"](speaker, "whole")).outcome == "fail"
        assert (await PROBES["thinking"](speaker, "whole")).outcome == "unclear"
        assert (await PROBES["cached_usage"](speaker, "whole")).outcome == "unclear"
