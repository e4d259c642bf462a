"""What a broken provider does in the middle of a stream (F30 to F37), in four protocols. Who asks for no stream is answered well,
but where the counts are at fault. What a provider does before that is in `fault_scripts`."""

import json
from collections.abc import Callable, Iterable

from tests.fakes.fault_scripts import FOREVER_S, JSON_TYPE, TEXT, Asked, Fault, begun, content, well
from tests.fakes.wire import WireConnection
from tests.sdk.said import text, two_calls

DRIP_S = 0.05
LARGE, TOO_LARGE = 2 << 20, 9 << 20
"""An event that is unusual, and one that is over the cap of 8 MB."""
BOM = b"\xef\xbb\xbf"


def streaming(pieces: Callable[[bytes], Iterable[bytes]]) -> Fault:
    """The good answer's stream, changed, in these pieces."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        if not asked.stream:
            await well(asked, connection)
            return
        await connection.sse_start()
        for piece in pieces("".join(text(asked.heard.protocol, TEXT).stream).encode()):
            await connection.sse(piece)
        await connection.sse_end()

    return fault


def split_character(told: bytes) -> Iterable[bytes]:
    """A letter of two bytes, one in each segment."""
    told = told.replace(b"world", "wörld".encode())
    at = told.index(b"w\xc3") + 2
    return told[:at], told[at:]


def each_byte(told: bytes) -> Iterable[bytes]:
    return (told[at : at + 1] for at in range(len(told)))


def other_lines(told: bytes) -> Iterable[bytes]:
    """A mark at the start, lines that end in CRLF, comments, and data on several lines."""
    lines = told.replace(b"\r\n", b"\n").split(b"\n")
    lines = [line.replace(b", ", b",\ndata: ", 1) if line.startswith(b"data: {") else line for line in lines]
    changed = b": hello\n\n" + b"\n".join(lines).replace(b"\n\n", b"\n\n: and more\n\n")
    return (BOM + changed.replace(b"\n", b"\r\n"),)


async def more_after_the_end(asked: Asked, connection: WireConnection) -> None:
    """What nobody asked for any more."""
    if not asked.stream:
        await well(asked, connection)
        return
    protocol = asked.heard.protocol
    await connection.sse_start()
    await connection.sse("".join([*text(protocol, TEXT).stream, content(protocol)]))
    await connection.sse_end()


async def half_a_call(asked: Asked, connection: WireConnection) -> None:
    """The stream ends inside the arguments of a tool call."""
    if not asked.stream:
        await well(asked, connection)
        return
    told = "".join(two_calls(asked.heard.protocol).stream)
    await connection.sse_start()
    await connection.sse(told[: told.index("Paris") + 2])
    await connection.sleep(DRIP_S)
    await connection.sse_end()


async def dripping(asked: Asked, connection: WireConnection) -> None:
    """A byte now and then, for ever: never silent for long."""
    if asked.stream:
        await connection.sse_start()
        await connection.sse(begun(asked.heard.protocol), content(asked.heard.protocol))
    else:
        await connection.head(200, [JSON_TYPE, ("transfer-encoding", "chunked")])
    for _ in range(int(FOREVER_S / DRIP_S)):
        if await connection.client_gone(DRIP_S) is not None:
            return
        await connection.sse(b":" if asked.stream else b" ")


async def no_numbers(asked: Asked, connection: WireConnection) -> None:
    """Counts that are no numbers, in what is no JSON for that."""
    answer = text(asked.heard.protocol, TEXT)
    whole, stream = json.dumps(answer.whole), "".join(answer.stream)
    for name in ("input_tokens", "prompt_tokens", "promptTokenCount"):
        whole, stream = (
            whole.replace(f'"{name}": 7', f'"{name}": NaN'),
            stream.replace(f'"{name}": 7', f'"{name}": NaN'),
        )
    if asked.stream:
        await connection.sse_start()
        await connection.sse(stream)
        await connection.sse_end()
        return
    await connection.head(200, [JSON_TYPE, ("content-length", str(len(whole)))])
    await connection.write(whole.encode())


STREAM_FAULTS: dict[str, Fault] = {
    "30-split": streaming(split_character),
    "30-invalid": streaming(lambda told: (told.replace(b"world", b"w\xffrld", 1),)),
    "31-bytes": streaming(each_byte),
    "31-lines": streaming(other_lines),
    "32-large": streaming(lambda told: (told.replace(b"world", b"x" * LARGE, 1),)),
    "32-too-large": streaming(lambda told: (told.replace(b"world", b"x" * TOO_LARGE, 1),)),
    "33-more": more_after_the_end,
    "35-nan": no_numbers,
    "36-half-call": half_a_call,
    "37-drip": dripping,
}
