"""The answer to one client, as ASGI messages."""

from typing import Any, cast

from anykey.exchange.transcript import Transcript
from anykey.server.connection import ClientConnection
from anykey.server.reply import AsgiReply

JSON = (b"content-type", b"application/json")
HINT = (b"x-anykey-canonical-path", b"/v1/models")


class Line:
    """The one thing a reply asks of its connection."""

    gone = False


def replying(*extra: tuple[bytes, bytes]) -> tuple[AsgiReply, list[dict[str, Any]], Line]:
    """A reply, what it sends, and its connection."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    line = Line()
    return AsgiReply(send, cast("ClientConnection", line), extra), sent, line


async def test_a_whole_answer_has_its_length_and_the_hint() -> None:
    reply, sent, _ = replying(HINT)
    await reply.whole(404, (JSON,), b"{}")
    assert sent == [
        {"type": "http.response.start", "status": 404, "headers": (JSON, (b"content-length", b"2"), HINT)},
        {"type": "http.response.body", "body": b"{}", "more_body": False},
    ]
    assert reply.started


async def test_a_stream_is_started_written_and_ended() -> None:
    reply, sent, _ = replying()
    assert not reply.started
    await reply.start(200, (JSON,))
    assert reply.started
    await reply.write(b"a")
    await reply.end()
    assert [(message.get("body"), message.get("more_body")) for message in sent[1:]] == [(b"a", True), (b"", False)]


async def test_a_transcript_hears_what_goes_out_from_then_on() -> None:
    for heard in (Transcript(b"", 100), None):
        reply, sent, _ = replying(HINT)
        if heard is not None:
            reply.overhear(heard)
        await reply.start(200, (JSON,))
        await reply.write(b"a")
        await reply.end()
        assert [message.get("body") for message in sent[1:]] == [b"a", b""]
        assert heard is None or (heard.status, heard.content_type, heard.answer) == (200, "application/json", b"a")
    reply, sent, _ = replying()
    heard = Transcript(b"", 100)
    reply.overhear(heard)
    await reply.whole(404, (JSON,), b"{}")
    assert (heard.status, heard.answer, sent[1]["body"]) == (404, b"{}", b"{}")


def test_gone_is_what_the_connection_says() -> None:
    reply, _, line = replying()
    assert not reply.gone
    line.gone = True
    assert reply.gone
