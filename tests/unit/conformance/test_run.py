"""A whole run against the real gateway with its demo model, and against gateways that break their promises."""

import pytest

from anykey.conformance.records import Cell
from anykey.conformance.run import CALLS, PROTOCOLS, KeyRefused, NoModel, run_conformance
from anykey.conversation.parts import ProtocolName
from anykey.upstream.failures import ConnectFailed
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireServer, reply_json
from tests.unit.conformance.conftest import Spoil, line_to, spoiled


async def test_anykey_itself_keeps_every_promise(gateway: RunningGateway) -> None:
    told: list[Cell] = []
    async with line_to(gateway.url, gateway.key) as line:
        report = await run_conformance(line, None, PROTOCOLS, told.append)
    short = {(cell.protocol, cell.feature) for cell in report.cells if cell.outcome in ("fail", "unsupported")}
    assert short == set()
    assert report.model == "demo"
    assert {cell.protocol for cell in report.cells} == set(PROTOCOLS)
    assert sorted(told, key=repr) == sorted(report.cells, key=repr)
    assert abs(report.calls - CALLS) < CALLS / 10
    unclear = {cell.feature for cell in report.cells if cell.outcome == "unclear"}
    assert unclear <= {"cached_usage"}  # the demo model has no cache


async def cells_of(gateway: RunningGateway, protocol: ProtocolName, spoil: Spoil) -> dict[tuple[str, str], Cell]:
    async with spoiled(gateway, spoil) as bad, line_to(bad.url, gateway.key) as line:
        report = await run_conformance(line, "demo", (protocol,), lambda _: None)
    assert not report.kept
    return {(cell.feature, cell.mode): cell for cell in report.cells}


async def test_a_gateway_that_ends_its_streams_badly_fails_in_them_only(gateway: RunningGateway) -> None:
    def spoil(_: RecordedCall, reply: WireReply) -> WireReply:
        return reply._replace(body=reply.body.replace(b"data: [DONE]\n\n", b""))

    cells = await cells_of(gateway, "openai_chat", spoil)
    failed = {(feature, mode) for (feature, mode), cell in cells.items() if cell.outcome == "fail"}
    assert {mode for _, mode in failed} == {"stream"}
    assert cells["text", "stream"].reason == "the stream does not end with [DONE]"
    assert (cells["text", "stream"].request_id or "").startswith("req_")


async def test_a_gateway_that_drops_fields_on_the_way_is_found_out(gateway: RunningGateway) -> None:
    """It loses the system text, the forced call and the stop sequences, and answers all the same."""
    lost = {b'"system"': b'"x-system"', b'"tool_choice"': b'"x-choice"', b'"stop_sequences"': b'"x-stop"'}

    def forget(call: RecordedCall) -> RecordedCall:
        for name, other in lost.items():
            call.body = call.body.replace(name, other)
        call.body = call.body.replace(b"Please call get_weather", b"Please answer for")
        return call

    async with spoiled(gateway, lambda _, reply: reply, forget) as bad, line_to(bad.url, gateway.key) as line:
        report = await run_conformance(line, "demo", ("anthropic_messages",), lambda _: None)
    failed = {cell.feature for cell in report.cells if cell.outcome == "fail"}
    assert failed == {"system", "tool", "tool_result", "tool_result_image", "tool_result_error", "stop"}


async def test_errors_in_another_shape_fail_and_clean_refusals_do_not(gateway: RunningGateway) -> None:
    def spoil(call: RecordedCall, reply: WireReply) -> WireReply:
        if b"image/png" in call.body:
            error = b'{"error": {"code": 400, "message": "No pictures here.", "status": "INVALID_ARGUMENT"}}'
            return reply._replace(status=400, body=error)
        if b"application/pdf" in call.body:
            return reply._replace(status=400, body=b'{"detail": "no"}')
        if b"stopSequences" in call.body:
            error = b'{"error": {"code": 429, "message": "Later.", "status": "RESOURCE_EXHAUSTED"}}'
            return reply._replace(status=429, body=error)
        if b"systemInstruction" in call.body:
            error = b'{"error": {"code": 400, "message": "No system.", "status": "INVALID_ARGUMENT"}}'
            return reply._replace(status=400, body=error)
        return reply

    cells = await cells_of(gateway, "gemini_generate", spoil)
    image, pdf, stop = cells["image", "whole"], cells["pdf", "stream"], cells["stop", "whole"]
    assert (image.outcome, image.reason) == ("unsupported", "HTTP 400: No pictures here.")
    assert pdf.outcome == "fail"
    assert "not in the protocol's shape" in pdf.reason
    assert stop.outcome == "unclear"
    assert cells["system", "whole"].outcome == "fail"  # what everyone needs may not be refused
    assert cells["text", "whole"].outcome == "pass"


async def test_a_protocol_that_is_not_served_is_asked_once() -> None:
    async with WireServer(reply_json({"detail": "Not Found"}, 404)) as server, line_to(server.url, "k") as line:
        report = await run_conformance(line, "m", ("openai_responses",), lambda _: None)
    assert {cell.outcome for cell in report.cells} == {"unsupported"}
    assert report.calls == 2  # the list of models, and one question
    assert "HTTP 404" in report.cells[-1].reason
    assert not report.kept


async def test_what_keeps_a_run_from_beginning() -> None:
    async with WireServer(reply_json({"data": []})) as server, line_to(server.url, "k") as line:
        with pytest.raises(NoModel, match="HTTP 200"):
            await run_conformance(line, None, PROTOCOLS, lambda _: None)
        server.script = reply_json({}, 401)
        with pytest.raises(KeyRefused, match="HTTP 401"):
            await run_conformance(line, "m", PROTOCOLS, lambda _: None)
    async with line_to(server.url, "k") as line:
        with pytest.raises(ConnectFailed):
            await run_conformance(line, "m", PROTOCOLS, lambda _: None)
