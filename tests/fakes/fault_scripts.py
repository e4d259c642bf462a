"""What a broken provider does with a call that got through, by fault (F08 to F23, F28), in four protocols."""

import functools
import gzip
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, chat_chunk, failure_event, messages_event
from tests.fakes.wire import RecordedCall, WireConnection
from tests.sdk.said import Answer, telling, text

TEXT = "Hello world"
REST_S = 40
SECRET_SHOWN = "the key {credential} may not"
"""What some servers say: the credential of the call, repeated in the error."""
BOMB = 1 << 30
FOREVER_S = 20.0
JSON_TYPE = ("content-type", "application/json")
SSE_TYPE = ("content-type", "text/event-stream")


class Heard(NamedTuple):
    """One call that got through. `credential` is the header's value without its scheme word."""

    method: str
    path: str
    protocol: str
    model: str
    credential: str


class Asked(NamedTuple):
    """A call as a fault sees it."""

    call: RecordedCall
    heard: Heard
    stream: bool
    canary: str
    """Another host's URL."""


Fault = Callable[[Asked, WireConnection], Awaitable[None]]


def hear(call: RecordedCall) -> Heard:
    """Whom a call asks for what, in whichever protocol."""
    path, _, _ = call.target.partition("?")
    shown = [call.header(name) for name in ("authorization", "x-api-key", "x-goog-api-key")]
    credential = next((value for value in shown if value), "").removeprefix("Bearer ")
    in_path = re.search(r"/models/([^/:]+):", path)
    if in_path:
        return Heard(call.method, path, GEMINI, unquote(in_path[1]), credential)
    ends = {"/chat/completions": CHAT, "/responses": RESPONSES, "/messages": MESSAGES}
    protocol = next((protocol for end, protocol in ends.items() if path.endswith(end)), "")
    return Heard(call.method, path, protocol, call.json().get("model", ""), credential)


def asks_for_stream(call: RecordedCall) -> bool:
    return bool("streamGenerateContent" in call.target or call.json().get("stream"))


async def well(asked: Asked, connection: WireConnection) -> None:
    """The answer, "Hello world": 7 tokens in, 3 out."""
    await telling(text(asked.heard.protocol, TEXT))(asked.call, connection)


# What is refused, by HTTP status


def refusing(status: int, *headers: tuple[str, str], code: str = "") -> Fault:
    """An error of the protocol under this status, which repeats the credential it was sent."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        words = f"It was {status}: " + SECRET_SHOWN.format(credential=asked.heard.credential)
        await connection.json(status, error_body(asked.heard.protocol, status, words, code), headers)

    return fault


def error_body(protocol: str, status: int, words: str, code: str = "") -> dict[str, Any]:
    """An error as a provider of this protocol says it."""
    if protocol == GEMINI:
        name = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}.get(status, "INTERNAL")
        quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerDay"}]}
        return {"error": {"code": status, "message": words, "status": name, "details": [quota] if code else []}}
    kind = {400: "invalid_request_error", 529: "overloaded_error"}.get(status, "api_error")
    if protocol == MESSAGES:
        return {"type": "error", "error": {"type": code or kind, "message": words}, "request_id": "req_9"}
    return {"error": {"message": words, "type": code or kind, "param": None, "code": code or None}}


def redirecting(status: int) -> Fault:
    async def fault(asked: Asked, connection: WireConnection) -> None:
        where = asked.canary + asked.call.target
        await connection.head(status, [("location", where), ("content-length", "0")])

    return fault


# What is no answer, under HTTP 200


def saying(content_type: str, body: str) -> Fault:
    async def fault(asked: Asked, connection: WireConnection) -> None:
        data = body.encode()
        await connection.head(200, [("content-type", content_type), ("content-length", str(len(data)))])
        await connection.write(data)

    return fault


async def error_as_answer(asked: Asked, connection: WireConnection) -> None:
    await connection.json(200, error_body(asked.heard.protocol, 500, "the model fell over"))


async def silence(asked: Asked, connection: WireConnection) -> None:
    await connection.client_gone(FOREVER_S)


async def short(asked: Asked, connection: WireConnection) -> None:
    """Half of what the length promises, then FIN: no content of a stream, half of a document."""
    told = begun(asked.heard.protocol) if asked.stream else json.dumps(text(asked.heard.protocol, TEXT).whole)[:-30]
    kind = SSE_TYPE if asked.stream else JSON_TYPE
    await connection.head(200, [kind, ("content-length", str(2 * len(told)))])
    await connection.write(told.encode())
    connection.close()


@functools.cache
def bomb() -> bytes:
    """1 GB of blanks in 1 MB of gzip: members of 16 MB, for a gzip body may have many."""
    size = 16 << 20
    return gzip.compress(b" " * size, 9) * (BOMB // size)


async def exploding(asked: Asked, connection: WireConnection) -> None:
    """A document that grows a thousandfold."""
    data = bomb()
    await connection.head(200, [JSON_TYPE, ("content-encoding", "gzip"), ("content-length", str(len(data)))])
    await connection.write(data)


def headed(*fields: tuple[str, str]) -> Fault:
    """A head without measure before a good answer."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        await connection.json(200, text(asked.heard.protocol, TEXT).whole, fields)

    return fault


# Usage that is none


def counting(change: Callable[[int], Any]) -> Fault:
    """A good answer whose token counts are changed; None takes the whole usage away."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        answer = text(asked.heard.protocol, TEXT)
        stream = [
            re.sub(r"(?m)^data: (\{.*\})", lambda found: f"data: {_recounted(found[1], change)}", event)
            for event in answer.stream
        ]
        await telling(Answer(json.loads(_recounted(json.dumps(answer.whole), change)), stream))(asked.call, connection)

    return fault


def _recounted(document: str, change: Callable[[int], Any]) -> str:
    def hook(fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("usage", "usageMetadata"):
            usage: dict[str, Any] = fields.get(name) or {}
            counts = {key: change(value) for key, value in usage.items() if isinstance(value, int)}
            if usage:
                fields[name] = None if None in counts.values() else usage | counts
        return fields

    return json.dumps(json.loads(document, object_hook=hook))


# Streams that break. Who did not ask for a stream gets half a document.


def begun(protocol: str) -> str:
    """The lifecycle frames of a stream: nothing a reader would see."""
    if protocol == CHAT:
        return chat_chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    if protocol == GEMINI:
        used = {"promptTokenCount": 7, "totalTokenCount": 7}
        return (
            f"data: {json.dumps({'usageMetadata': used, 'modelVersion': 'upstream-model', 'responseId': 'r7'})}\r\n\r\n"
        )
    stream = text(protocol, TEXT).stream
    if protocol == MESSAGES:
        return stream[0] + stream[1] + messages_event("ping")
    return "".join(stream[:3])


def breaking(how: Callable[[WireConnection], Awaitable[None]], *, after_content: bool = False) -> Fault:
    async def fault(asked: Asked, connection: WireConnection) -> None:
        protocol = asked.heard.protocol
        if asked.stream:
            await connection.sse_start()
            await connection.sse(begun(protocol), *([content(protocol)] if after_content else ()))
        else:
            whole = json.dumps(text(protocol, TEXT).whole).encode()
            await connection.head(200, [JSON_TYPE, ("transfer-encoding", "chunked")])
            await connection.sse(whole[: len(whole) // 2])
        await connection.sleep(0.03)  # so that it is read before what comes next
        await how(connection)

    return fault


def content(protocol: str) -> str:
    """The first event of a stream that a reader would see: "Hello"."""
    if protocol == CHAT:
        return chat_chunk([{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}])
    return next(event for event in text(protocol, TEXT).stream if '"Hello"' in event or '"delta": "Hello"' in event)


async def reset(connection: WireConnection) -> None:
    connection.reset()


async def close(connection: WireConnection) -> None:
    connection.close()


async def end(connection: WireConnection) -> None:
    await connection.sse_end()


async def nonsense(connection: WireConnection) -> None:
    """No chunk begins so."""
    await connection.write(b"zzzz\r\n")
    connection.close()


async def half_an_event(connection: WireConnection) -> None:
    await connection.sse('data: {"half\n\n')
    await connection.sse_end()


async def stall(connection: WireConnection) -> None:
    await connection.client_gone(FOREVER_S)


def error_event(protocol: str, words: str, *, overloaded: bool = False) -> str:
    """The error a provider tells inside a stream."""
    if protocol == CHAT and overloaded:
        return (
            f"data: {json.dumps({'error': {'message': words, 'type': 'overloaded_error', 'code': 'overloaded'}})}\n\n"
        )
    if protocol == MESSAGES and overloaded:
        return messages_event("error", error={"type": "overloaded_error", "message": words})
    if protocol == RESPONSES:
        error = {"code": "server_is_overloaded" if overloaded else "server_error", "message": words, "param": None}
        return f"event: error\ndata: {json.dumps({'type': 'error', 'sequence_number': 0, **error})}\n\n"
    if protocol == GEMINI:
        return f"data: {json.dumps(error_body(GEMINI, 503 if overloaded else 500, words))}\r\n\r\n"
    return failure_event(protocol, words)


def error_first(*, ended: bool = True) -> Fault:
    """The first event is an error, perhaps without the line that ends it; a document is one from its first byte."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        await _tell_error(asked, connection, ended=ended)

    return fault


async def _tell_error(asked: Asked, connection: WireConnection, *, ended: bool) -> None:
    words = "The model is overloaded: " + SECRET_SHOWN.format(credential=asked.heard.credential)
    if not asked.stream:
        kind = "server_is_overloaded" if asked.heard.protocol == RESPONSES else "overloaded_error"
        code = "" if asked.heard.protocol == GEMINI else kind
        await connection.json(200, error_body(asked.heard.protocol, 503, words, code))
        return
    await connection.sse_start()
    event = error_event(asked.heard.protocol, words, overloaded=True)
    await connection.sse(event if ended else event.rstrip())
    await connection.sse_end()


async def nothing(asked: Asked, connection: WireConnection) -> None:
    kind = SSE_TYPE if asked.stream else JSON_TYPE
    await connection.head(200, [kind, ("content-length", "0")])


def error_after(*, ended: bool) -> Fault:
    """An error once content was told, perhaps without the line that ends its event; where no stream was asked for, a document
    that breaks off."""

    async def fault(asked: Asked, connection: WireConnection) -> None:
        async def tell(connection: WireConnection) -> None:
            if not asked.stream:
                connection.reset()
                return
            # What comes in pieces is relayed in pieces, before anybody knows that it is an error.
            shown = SECRET_SHOWN.format(credential=asked.heard.credential) if ended else ""
            event = error_event(asked.heard.protocol, f"it fell over: {shown}")
            await connection.sse(event if ended else event.rstrip())
            await connection.sse_end()

        await breaking(tell, after_content=True)(asked, connection)

    return fault


FAULTS: dict[str, Fault] = {
    "00-well": well,
    "08-silent": silence,
    "09-limited": refusing(429, ("retry-after", str(REST_S))),
    "09-limited-shorter": refusing(429, ("retry-after", str(REST_S // 2))),
    "09-unsaid": refusing(429),
    "11-401": refusing(401),
    "11-403": refusing(403),
    "12-402": refusing(402),
    "12-quota": refusing(429, code="insufficient_quota"),
    "13-400": refusing(400),
    "14-500": refusing(500),
    "14-502": refusing(502),
    "14-503": refusing(503),
    "14-529": refusing(529),
    "15-302": redirecting(302),
    "15-308": redirecting(308),
    "16-html": saying("text/html; charset=utf-8", "<!doctype html><title>Sign in</title>"),
    "16-text": saying("text/plain", "upstream connect error"),
    "16-foreign": saying("application/json", '{"ok": true}'),
    "17-error": error_as_answer,
    "18-short": short,
    "19-bomb": exploding,
    "20-fields": headed(*[("x-a", "b")] * 10_000),
    "20-long": headed(("x-a", "b" * 1_000_000)),
    "21-error-first": error_first(),
    "21-error-unended": error_first(ended=False),
    "22-empty": nothing,
    "23-reset": breaking(reset),
    "23-close": breaking(close),
    "23-end": breaking(end),
    "23-stall": breaking(stall),
    "24-stall": breaking(stall, after_content=True),
    "25-reset": breaking(reset, after_content=True),
    "26-close": breaking(close, after_content=True),
    "26-end": breaking(end, after_content=True),
    "27-framing": breaking(nonsense, after_content=True),
    "28-error-after": error_after(ended=True),
    "28-error-unended": error_after(ended=False),
    "29-half-json": breaking(half_an_event, after_content=True),
    "34-no-usage": counting(lambda _: None),
    "35-negative": counting(lambda _: -3),
    "35-huge": counting(lambda _: 10**12),
    "35-text": counting(str),
}
"""What happens to a call that gets through."""
