import json
from typing import Any

import pytest

from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import MediaPart, OpaquePart, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.protocols.openai_responses.compaction import read_summary
from anykey.protocols.openai_responses.response import decode_response, encode_response
from anykey.protocols.openai_responses.stream_decoding import StreamDecoder
from anykey.protocols.openai_responses.stream_encoding import StreamEncoder
from tests.unit.protocols.openai_responses.wire import PLAIN, dump, message, response, text

CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"}


def decoded(*output: Any, **members: Any) -> GenerateResponse:
    return decode_response(dump(response(*output, **members)), PLAIN).value


def encoded(*parts: Any, finish: Finish | None = None, **rest: Any) -> tuple[dict[str, Any], list[str]]:
    answer = GenerateResponse("chatcmpl-1", "m", (Choice(parts, finish or Finish("stop"), **rest),), Usage(1))
    body, losses = encode_response(answer)
    return json.loads(body), [loss.code for loss in losses]


def test_an_answer_is_read_without_what_it_repeats_of_the_request() -> None:
    body = response(
        message(text("hi")),
        usage={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        tools=[{"type": "function"}],
        instructions="x",
        billing={"payer": "developer"},
        service_tier="default",
        tool_usage={"web_search": 1},
        error=None,
    )
    answer = decode_response(dump(body), PLAIN).value
    assert (answer.id, answer.model, answer.created, answer.service_tier) == ("resp_1", "m", 7, "default")
    assert answer.usage == Usage(3, output_tokens=2)
    assert answer.extras == {"openai_responses": {"tool_usage": {"web_search": 1}}}
    assert answer.choices[0].finish == Finish("stop")


FINISHES: list[tuple[dict[str, Any], Finish]] = [
    ({"status": "completed"}, Finish("stop")),
    ({"status": "completed", "output": [CALL]}, Finish("tool_calls")),
    ({"status": "completed", "output": [message({"type": "refusal", "refusal": "no"})]}, Finish("refusal")),
    ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Finish("length")),
    ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, Finish("content_filter")),
    ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, Finish("other", "steered")),
    ({"status": "incomplete"}, Finish("other", "incomplete")),
    ({"status": "queued"}, Finish("other", "queued")),
    ({"status": "cancelled"}, Finish("other", "cancelled")),
    ({}, Finish("stop")),
]


@pytest.mark.parametrize(("said", "finish"), FINISHES)
def test_a_finish_is_read_and_told_again(said: dict[str, Any], finish: Finish) -> None:
    body = {**response(), **said}
    answer = decode_response(dump(body), PLAIN).value
    assert answer.choices[0].finish == finish
    told = json.loads(encode_response(answer).body)
    assert told["status"] == said.get("status", "completed")
    assert told["incomplete_details"] == said.get("incomplete_details")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"output":1}',
        b'{"object":"response.deleted"}',
        b'{"output":[{"type":"function_call","name":1}]}',
    ],
)
def test_what_is_no_answer_is_the_upstream_s_fault(body: bytes) -> None:
    with pytest.raises(FailureError) as caught:
        decode_response(body, PLAIN)
    assert caught.value.failure.kind == "upstream_error"


def test_a_failed_response_is_a_failure() -> None:
    with pytest.raises(FailureError) as caught:
        decoded(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"})
    assert caught.value.failure.kind == "rate_limited"


def test_an_own_answer_comes_back() -> None:
    output: list[dict[str, Any]] = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        message(text("a"), text("b")),
        message(text("c"), id="msg_2", phase="final_answer"),
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="},
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "l", "tools": []},
        CALL,
    ]
    body, losses = encode_response(decoded(*output))
    assert not [loss for loss in losses if loss.code != "approximated:usage"]
    assert json.loads(body)["output"] == output


def test_an_answer_of_another_protocol_becomes_items() -> None:
    body, losses = encoded(
        ReasoningPart("think"),
        TextPart("a"),
        TextPart("b", extras={"anthropic_messages": {"x": 1}}),
        ToolCallPart("c", "f", '{"x":1}'),
        OpaquePart("anthropic_messages", "container", {}),
        TextPart("d"),
        finish=Finish("tool_calls"),
    )
    assert [item["type"] for item in body["output"]] == ["reasoning", "message", "function_call", "message"]
    assert [content["text"] for content in body["output"][1]["content"]] == ["a", "b"]
    assert all(
        item["id"].startswith(prefix)
        for item, prefix in zip(body["output"], ("rs_", "msg_", "fc_", "msg_"), strict=True)
    )
    assert losses == ["dropped:choices.content.x", "dropped:choices.content"]
    assert (body["object"], body["parallel_tool_calls"], body["tools"]) == ("response", True, [])


@pytest.mark.parametrize(
    ("finish", "status", "codes"),
    [
        (Finish("length"), "incomplete", []),
        (Finish("context_window"), "incomplete", ["approximated:choices.finish_reason"]),
        (Finish("refusal"), "incomplete", []),
        (Finish("stop_sequence", stop_sequence="x"), "completed", ["dropped:choices.stop_sequence"]),
        (Finish("pause"), "completed", ["approximated:choices.finish_reason"]),
        (Finish("other", "odd"), "completed", ["approximated:choices.finish_reason"]),
        (
            Finish("refusal", detail={"explanation": "no", "category": "x"}),
            "completed",
            ["dropped:choices.stop_details.category"],
        ),
    ],
)
def test_finishes_of_other_protocols(finish: Finish, status: str, codes: list[str]) -> None:
    body, losses = encoded(TextPart("a"), finish=finish)
    assert (body["status"], losses) == (status, codes)
    assert body["output"][-1]["status"] == status


def test_an_explanation_becomes_a_refusal() -> None:
    body, _ = encoded(finish=Finish("refusal", detail={"type": "refusal", "explanation": "no"}))
    assert body["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_a_second_choice_is_a_loss() -> None:
    answer = GenerateResponse("a", "m", (Choice((TextPart("a"),)), Choice((TextPart("b"),), index=1)), Usage(1))
    assert [loss.code for loss in encode_response(answer).losses] == ["dropped:choices"]


def test_log_probabilities_go_to_their_texts() -> None:
    tokens: list[dict[str, Any]] = [
        {"token": t, "logprob": -1.0, "bytes": None, "top_logprobs": []} for t in ("ab", "c", "d")
    ]
    body, losses = encoded(TextPart("abc"), TextPart("d"), logprobs={"content": tokens, "refusal": None})
    first, second = body["output"][0]["content"]
    assert [entry["token"] for entry in first["logprobs"]] == ["ab", "c"]
    assert [entry["token"] for entry in second["logprobs"]] == ["d"]
    assert not losses
    assert encoded(logprobs={"content": tokens})[1] == ["dropped:choices.logprobs.content"]


COMPACTING = GenerateRequest("m", (), compact=True)


def test_a_compaction_is_one_item() -> None:
    answer = GenerateResponse("a", "m", (Choice((ReasoningPart("t"), TextPart("sum"), TextPart("mary é"))),), Usage(1))
    body, losses = encode_response(answer, COMPACTING)
    (item,) = json.loads(body)["output"]
    assert (item["type"], item["id"][:4]) == ("compaction", "cmp_")
    assert read_summary(item["encrypted_content"]) == "summary é"
    assert [loss.code for loss in losses] == ["dropped:output"]
    records = StreamEncoder(COMPACTING).feed(replay(answer))
    assert records.count(b"event: response.output_item.") == 2
    assert json.loads(records.decode().rsplit("data: ", 1)[1])["response"]["output"] == [item]


def test_whole_and_streamed_answers_are_the_same() -> None:
    answer = GenerateResponse(
        "chatcmpl-1",
        "m",
        (
            Choice(
                (
                    ReasoningPart("t"),
                    TextPart("a"),
                    RefusalPart("no"),
                    ToolCallPart("c", "f", ""),
                    ToolCallPart("d", "shell", '{"commands":["ls"]}', "shell"),
                    MediaPart("image", "image/png", "aGk="),
                    ToolCallPart("e", "g", '{"a":', "function"),
                ),
                Finish("length"),
            ),
        ),
        Usage(3, output_tokens=2),
        created=5,
    )
    body = b'{"model":"m","tools":[1],"input":"x"}'
    whole = json.loads(encode_response(answer, None, body).body)
    data = StreamEncoder(GenerateRequest("m", ()), body).feed(replay(answer))
    assert json.loads(data.decode().rsplit("data: ", 1)[1])["response"] == whole
    decoder = StreamDecoder(PLAIN)
    again = assemble(decoder.feed(data))
    assert again.choices == decode_response(json.dumps(whole).encode(), PLAIN).value.choices


def test_a_picture_in_an_answer_that_was_cut_is_complete() -> None:
    picture = {"type": "image_generation_call", "id": "ig_1", "result": "AA", "status": "completed"}
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    body = json.loads(encode_response(decoded(picture, **cut)).body)
    assert body["output"] == [picture]
    assert body["status"] == "incomplete"


def test_an_item_without_a_type_can_be_told() -> None:
    body = json.loads(encode_response(decoded({})).body)
    assert [item["type"] for item in body["output"]] == ["item"]


def test_an_item_whose_type_is_none_can_be_told_of_an_answer_that_was_cut() -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    body = json.loads(encode_response(decoded({"type": [], "status": "completed"}, **cut)).body)
    assert body["status"] == "incomplete"
