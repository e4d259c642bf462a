"""What is fuzzed: every function here takes any bytes and raises nothing, whatever they are.

The laws are those of `tests/properties`, held against a fuzzer that sees which lines each input reaches: a stream decoder gives
a legal stream, whatever the cut; a request is refused by name or is one that every protocol can write. The first byte of an
input says how it is cut.
"""

from collections.abc import Callable

from anykey.conversation import events as ev
from anykey.conversation.failures import FailureError
from anykey.conversation.verify import check_request, check_stream
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Codec, RequestPath
from anykey.protocols.sse import SseEvent, SseParser

Target = Callable[[bytes], None]
_PATH = RequestPath("m", stream=True)


def sse(data: bytes) -> None:
    """The parser gives the same events for every cut, and nothing of an event is left after a blank line."""
    parser = SseParser()
    events: list[SseEvent] = [event for piece in _cut(data) for event in parser.feed(piece)]
    events += parser.feed(b"\n\n")
    assert not parser.pending()
    whole = SseParser()
    assert events == whole.feed(data[1:]) + whole.feed(b"\n\n"), "the cut matters"


def stream_target(codec: Codec) -> Target:
    """The stream decoder of one protocol, with the tap beside it."""
    dialect = codec.dialect({})

    def run(data: bytes) -> None:
        decoder = codec.stream_decoder(dialect)
        tap = codec.tap(dialect, stream=True, hide_usage=False)
        events: list[ev.StreamEvent] = []
        for piece in _cut(data):
            events += decoder.feed(piece)
            assert tap.feed(piece) == piece, "a relay changes nothing"
        events += decoder.close()
        tap.close()
        check_stream(events)
        if data[:1] not in (b"", b"\x00"):
            whole = codec.stream_decoder(dialect)
            assert events == whole.feed(data[1:]) + whole.close(), "the cut matters"

    return run


def request_target(codec: Codec) -> Target:
    """The request decoder of one protocol, and what every protocol makes of what it reads."""

    def run(data: bytes) -> None:
        try:
            request, _ = codec.decode_request(data, _PATH)
        except FailureError as error:
            _check_refusal(error)
            return
        check_request(request)
        for other in CODECS.values():
            try:
                other.encode_request(request, other.dialect({}))
            except FailureError as error:
                _check_refusal(error)

    return run


def _check_refusal(error: FailureError) -> None:
    assert error.failure.fault == "caller", error.failure


def _cut(data: bytes) -> list[bytes]:
    """All but the first byte, in pieces of as many bytes as that says (none: in one piece)."""
    size, rest = data[0] if data else 0, data[1:]
    return [rest[start : start + size] for start in range(0, len(rest), size)] if size else [rest]


TARGETS: dict[str, Target] = {
    "sse": sse,
    **{f"{name}-stream": stream_target(codec) for name, codec in CODECS.items()},
    **{f"{name}-request": request_target(codec) for name, codec in CODECS.items()},
}
