import json
from typing import Any

from anykey.conversation import events as ev
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import OpaquePart, TextPart, ToolCallPart
from anykey.protocols.openai_responses.stream_encoding_items import Items, Sink
from tests.unit.protocols.openai_responses.wire import tell


def items() -> tuple[Items, Sink, LossLog]:
    sink, log = Sink(), LossLog("response")
    return Items("resp_1", sink, log), sink, log


def records(sink: Sink) -> list[dict[str, Any]]:
    return [json.loads(block.split(b"data: ", 1)[1]) for block in sink.out]


def test_events_are_numbered_and_named() -> None:
    sink = Sink()
    sink.write("a.b", {"x": 1})
    sink.write_raw("c", b'"y":2')
    assert sink.out == [
        b'event: a.b\ndata: {"type":"a.b","sequence_number":0,"x":1}\n\n',
        b'event: c\ndata: {"type":"c","sequence_number":1,"y":2}\n\n',
    ]


def test_a_message_stays_open_until_it_is_settled() -> None:
    told, sink, _ = items()
    part = told.begin(TextPart(""), "p")
    told.fill(part, "a")
    told.end(part, "p")
    assert not told.output
    told.settle("incomplete")
    assert records(sink)[-1]["item"]["status"] == "incomplete"
    assert json.loads(told.output[0]) == records(sink)[-1]["item"]
    told.settle()
    assert len(told.output) == 1


def test_an_upstream_s_own_items_keep_their_ids() -> None:
    told, _, _ = items()
    for identity in ("msg_a", "msg_a", "msg_b"):
        part = told.begin(TextPart("x", extras={"openai_responses": {"message": {"id": identity}}}), "p")
        told.end(part, "p")
    told.settle()
    output = [json.loads(value) for value in told.output.values()]
    assert [(item["id"], len(item["content"])) for item in output] == [("msg_a", 2), ("msg_b", 1)]


def test_arguments_that_nobody_streamed_are_an_empty_object() -> None:
    told, sink, _ = items()
    told.end(told.begin(ToolCallPart("c", "f", ""), "p"), "p")
    told.settle()
    deltas = [record["delta"] for record in records(sink) if record["type"].endswith(".delta")]
    assert deltas == ["{}"]
    told.end(told.begin(ToolCallPart("d", "f", ""), "p"), "p")
    told.settle("incomplete")
    assert json.loads(told.output[1])["arguments"] == ""


def test_what_is_not_told_takes_no_place() -> None:
    told, sink, log = items()
    told.end(told.begin(OpaquePart("anthropic_messages", "x", {}), "p"), "p")
    told.end(told.begin(TextPart("a"), "p"), "p")
    told.settle()
    assert [loss.code for loss in log.losses] == ["dropped:p"]
    assert list(told.output) == [0]
    assert records(sink)[0]["output_index"] == 0


def test_log_probabilities_of_a_text_that_is_closed_are_in_its_item() -> None:
    told, _, log = items()
    (started, _) = tell(0, TextPart("a"))
    assert isinstance(started, ev.PartStarted)
    told.end(told.begin(started.part, "p"), "p")
    told.add_logprobs({"content": [{"token": "a", "bytes": [97], "top_logprobs": []}]})
    told.settle()
    assert json.loads(told.output[0])["content"][0]["logprobs"] == [{"token": "a", "bytes": [97], "top_logprobs": []}]
    told.add_logprobs({"content": [{"token": "a"}]})
    assert [loss.code for loss in log.losses] == ["dropped:choices.logprobs.content"]
