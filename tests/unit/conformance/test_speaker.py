"""A speaker reads lawful answers of the real gateway, and names what a spoiled one lacks."""

import itertools
from collections.abc import Callable

import pytest

from anykey.conformance.features import question
from anykey.conformance.judging import text_of
from anykey.conformance.records import Mode
from anykey.conformance.run import PROTOCOLS
from anykey.conformance.speaker import Breach, Refused, Speaker
from anykey.conversation.parts import ProtocolName
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall
from tests.unit.conformance.conftest import line_to, spoiled

HELLO = question("demo", "hello")


async def test_lawful_answers_are_read(gateway: RunningGateway) -> None:
    modes: tuple[Mode, ...] = ("whole", "stream")
    async with line_to(gateway.url, gateway.key) as line:
        for protocol, mode in itertools.product(PROTOCOLS, modes):
            speaker = Speaker(protocol, "demo", line)
            assert "You said: hello" in text_of(await speaker.ask(HELLO, mode))
            assert speaker.last is not None
            assert (speaker.last.request_id or "").startswith("req_")


SPOILS: list[tuple[ProtocolName, Mode, Callable[[bytes], bytes], str]] = [
    ("openai_chat", "whole", lambda body: body.replace(b'"usage"', b'"used"'), "usage is no object"),
    ("openai_chat", "stream", lambda body: body.replace(b"data: [DONE]\n\n", b""), r"does not end with \[DONE\]"),
    ("openai_chat", "stream", lambda body: body[: len(body) // 2], "breaks off"),
    ("openai_chat", "whole", lambda _: b'{"error": {"message": "no"}}', "^HTTP 200 holds no answer: no$"),
    (
        "openai_responses",
        "stream",
        lambda body: body.replace(b'"sequence_number":1,', b'"sequence_number":2,'),
        "number 2",
    ),
    ("anthropic_messages", "stream", lambda body: body.replace(b"event: content_block_stop", b"event: other"), "named"),
    ("gemini_generate", "stream", lambda body: body.replace(b"usageMetadata", b"usage"), "usageMetadata is no object"),
    ("gemini_generate", "stream", lambda body: body + b"data: {", "middle of an event"),
]


async def test_a_breach_is_named(gateway: RunningGateway) -> None:
    for protocol, mode, change, said in SPOILS:

        def spoil(_: RecordedCall, reply: WireReply, change: Callable[[bytes], bytes] = change) -> WireReply:
            return reply._replace(body=change(reply.body))

        async with spoiled(gateway, spoil) as bad, line_to(bad.url, gateway.key) as line:
            with pytest.raises(Breach, match=said):
                await Speaker(protocol, "demo", line).ask(HELLO, mode)


async def test_a_stream_under_another_content_type_is_one_breach_of_it(gateway: RunningGateway) -> None:
    def plain(_: RecordedCall, reply: WireReply) -> WireReply:
        return reply._replace(headers={**reply.headers, "content-type": "text/plain"})

    async with spoiled(gateway, plain) as bad, line_to(bad.url, gateway.key) as line:
        with pytest.raises(Breach, match=r"^the content-type is 'text/plain', not text/event-stream$"):
            await Speaker("openai_chat", "demo", line).ask(HELLO, "stream")


async def test_an_error_is_a_refusal_whose_message_can_be_told(gateway: RunningGateway) -> None:
    async with line_to(gateway.url, gateway.key) as line:
        speaker = Speaker("anthropic_messages", "nope", line)
        with pytest.raises(Refused) as refused:
            await speaker.ask(question("nope", "hello"), "stream")
    assert refused.value.heard.status == 404
    assert "nope" in speaker.message_of(refused.value.heard)
