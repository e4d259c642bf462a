"""The fake upstream's bytes are legal: official SDK types read them, and a parser finds each chunk."""

import json
from typing import get_args

import httptools
import pytest
from anthropic.types import Message, MessageStopEvent
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.parts import ProtocolName
from anykey.conversation.verify import check_stream
from anykey.protocols.catalog import CODECS
from bench.cases import WireProtocol
from bench.replies import DELTAS, TERMINAL, plain_reply, stream_chunks, stream_head, stream_records

NAMES: dict[WireProtocol, ProtocolName] = {
    "chat": "openai_chat",
    "messages": "anthropic_messages",
    "responses": "openai_responses",
    "gemini": "gemini_generate",
}


class Reader:
    """Collects what httptools reports."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.complete = False

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


def read(wire: bytes) -> Reader:
    reader = Reader()
    httptools.HttpResponseParser(reader).feed_data(wire)
    assert reader.complete
    return reader


def test_plain_answers_are_what_the_sdks_expect() -> None:
    chat = ChatCompletion.model_validate_json(read(plain_reply("chat")).parts[0])
    messages = Message.model_validate_json(read(plain_reply("messages")).parts[0])
    assert [block.type for block in messages.content] == ["text"]
    assert chat.choices[0].message.content == messages.content[0].to_dict()["text"]
    assert chat.usage is not None
    assert chat.usage.completion_tokens == messages.usage.output_tokens


@pytest.mark.parametrize("protocol", get_args(WireProtocol))
def test_each_record_is_one_chunk_and_the_last_one_ends_the_stream(protocol: WireProtocol) -> None:
    records = stream_records(protocol)
    chunks = stream_chunks(protocol)
    assert read(stream_head() + b"".join(chunks)).parts == records
    ends = [record.replace(b"\r\n", b"\n") for record in records]
    assert all(record.count(b"\n\n") == 1 and record.endswith(b"\n\n") for record in ends)
    assert TERMINAL[protocol] in records[-1]
    assert not any(TERMINAL[protocol] in record for record in records[:-1])


@pytest.mark.parametrize("protocol", get_args(WireProtocol))
def test_each_stream_has_its_deltas_and_usage(protocol: WireProtocol) -> None:
    codec = CODECS[NAMES[protocol]]
    decoder = codec.stream_decoder(codec.dialect({}))
    events = [event for record in stream_records(protocol) for event in decoder.feed(record)] + decoder.close()
    check_stream(events)
    assert sum(isinstance(event, ev.TextDelta) for event in events) == DELTAS
    answer = assemble(events)
    assert answer.usage is not None
    assert (answer.usage.total_input(), answer.usage.total_output()) == (20, DELTAS)


def test_the_new_plain_answers_are_what_the_sdks_expect() -> None:
    responses = Response.model_validate_json(read(plain_reply("responses")).parts[0])
    gemini = GenerateContentResponse.model_validate_json(read(plain_reply("gemini")).parts[0])
    assert responses.output_text == gemini.text
    assert responses.usage is not None
    assert gemini.usage_metadata is not None
    assert responses.usage.total_tokens == gemini.usage_metadata.total_token_count == 53


def test_chat_stream_has_its_deltas_finish_and_usage() -> None:
    chunks = [ChatCompletionChunk.model_validate_json(record[6:]) for record in stream_records("chat")[:-1]]
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert sum(bool(text) for text in texts) == DELTAS
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None


def test_messages_stream_is_in_order_and_names_each_event() -> None:
    events: list[str] = []
    for record in stream_records("messages"):
        name, data = record.decode().rstrip("\n").split("\n")
        events.append(json.loads(data.removeprefix("data: "))["type"])
        assert name == f"event: {events[-1]}"
    assert events[:2] == ["message_start", "content_block_start"]
    assert events[2:-3] == ["content_block_delta"] * DELTAS
    assert events[-3:] == ["content_block_stop", "message_delta", MessageStopEvent(type="message_stop").type]
