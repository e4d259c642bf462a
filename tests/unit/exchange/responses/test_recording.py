"""A recording passes on what it hears, sets a few fields, and hands the response over before its end is told."""

import json
from typing import Any

import pytest

from anykey.exchange.ports import Headers
from anykey.exchange.responses.frames import FrameCutter, data_of, frame_of, kind_of, raw, read_fields
from anykey.exchange.responses.recording import NOT_STORED, Final, RecordingReply, failed

ITEM: dict[str, Any] = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
RESPONSE: dict[str, Any] = {"id": "resp_1", "created_at": 5, "status": "completed", "output": [ITEM], "store": False}
SET = {"store": raw(value=True), "previous_response_id": raw("resp_0")}


def frame(kind: str, **fields: Any) -> bytes:
    return frame_of(kind.encode(), {name: raw(value) for name, value in {"type": kind, **fields}.items()})


CREATED = frame("response.created", sequence_number=0, response={**RESPONSE, "status": "in_progress", "output": []})
DELTA = b'event: response.output_text.delta\ndata: {"delta":"hi",  "sequence_number":1}\n\n'
DONE = frame("response.output_item.done", sequence_number=2, item=ITEM)
COMPLETED = frame("response.completed", sequence_number=3, response=RESPONSE)


class Client:
    """What a client got, and what was kept at what time."""

    def __init__(self, *, keeps: bool = True) -> None:
        self.started = False
        self.gone = False
        self.told = b""
        self.headers: Headers = ()
        self.kept: list[Final] = []
        self.told_when_kept: list[bytes] = []
        self._keeps = keeps

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True

    async def write(self, data: bytes) -> None:
        self.told += data

    async def end(self) -> None:
        self.told += b"<end>"

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.headers, self.told = headers, body

    async def keep(self, final: Final) -> bool:
        self.kept.append(final)
        self.told_when_kept.append(self.told)
        return self._keeps

    def recording(self) -> RecordingReply:
        return RecordingReply(self, SET, self.keep)

    @property
    def final(self) -> dict[str, Any]:
        (only,) = self.kept
        return json.loads(only.response)


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_stream_however_cut(size: int) -> None:
    client = Client()
    reply = client.recording()
    stream = CREATED + DELTA + b": beat\n\n" + DONE + COMPLETED
    await reply.start(200, ())
    for at in range(0, len(stream), size):
        await reply.write(stream[at : at + size])
    await reply.end()
    frames = FrameCutter().feed(client.told.removesuffix(b"<end>"))
    assert frames[1:4] == [DELTA, b": beat\n\n", DONE]
    for told in (frames[0], frames[4]):
        response = json.loads(data_of(told))["response"]
        assert (response["store"], response["previous_response_id"]) == (True, "resp_0")
    assert client.final == {**RESPONSE, "store": True, "previous_response_id": "resp_0"}
    assert b"response.completed" not in client.told_when_kept[0]
    assert (client.kept[0].id, client.kept[0].created_at, reply.started) == ("resp_1", 5, True)


async def test_an_output_that_the_end_leaves_out_is_put_together() -> None:
    client = Client()
    await client.recording().write(DONE + frame("response.completed", response={**RESPONSE, "output": []}))
    assert client.final["output"] == [ITEM]
    assert [json.loads(item) for item in client.kept[0].output] == [ITEM]


async def test_a_failure_that_tells_nothing_else_ends_the_response_that_began() -> None:
    client = Client()
    bare = {"id": "resp_x", "status": "failed", "error": {"code": "server_error", "message": "gone"}}
    await client.recording().write(CREATED + DONE + frame("response.failed", response=bare))
    assert (client.kept[0].id, client.kept[0].status) == ("resp_1", "failed")
    assert client.final["error"] == bare["error"]
    assert client.final["output"] == [ITEM]


async def test_a_stream_that_breaks_off_is_passed_on_and_not_kept() -> None:
    client = Client()
    reply = client.recording()
    await reply.write(CREATED + DELTA[:20])
    await reply.end()
    assert client.told.endswith(DELTA[:20] + b"<end>")
    assert client.kept == []


async def test_a_whole_answer_is_kept_and_says_so_if_it_was_not() -> None:
    for keeps in (True, False):
        client = Client(keeps=keeps)
        await client.recording().whole(200, ((b"a", b"b"),), json.dumps(RESPONSE).encode())
        assert client.final == json.loads(client.told) == {**RESPONSE, "store": True, "previous_response_id": "resp_0"}
        assert client.headers == (((b"a", b"b"),) if keeps else ((b"a", b"b"), NOT_STORED))


@pytest.mark.parametrize(("status", "body"), [(400, b'{"error": {"message":  "no"}}'), (200, b"[1,  2]")])
async def test_what_is_no_response_passes_byte_for_byte(status: int, body: bytes) -> None:
    client = Client()
    await client.recording().whole(status, (), body)
    assert (client.told, client.kept) == (body, [])


async def test_frames_that_only_look_like_ours_pass() -> None:
    client = Client()
    odd = b"event: response.completed\ndata: [DONE]\n\n" + frame("response.completed", response=5)
    await client.recording().write(odd)
    assert (client.told, client.kept) == (odd, [])
    assert [kind_of(each) for each in FrameCutter().feed(odd)] == [b"response.completed"] * 2


def test_an_end_that_nobody_told() -> None:
    began = read_fields(data_of(CREATED))
    assert began is not None
    response = failed(read_fields(began["response"]) or {}, "cancelled", None, [b'{"id":"msg_1"}'])
    told = {name: json.loads(bytes(value)) for name, value in response.items()}
    assert (told["status"], told["error"], told["output"]) == ("cancelled", None, [{"id": "msg_1"}])
