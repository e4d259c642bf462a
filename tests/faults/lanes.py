"""Eight lanes: four client protocols, each with and without a stream; and how to read what a client on one was told."""

from typing import Any, NamedTuple

from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, ended_normally, error_told, records, told_text
from tests.fakes.gateway import RunningGateway, WireReply

FOUR = (CHAT, RESPONSES, MESSAGES, GEMINI)
SHORT = {CHAT: "chat", RESPONSES: "responses", MESSAGES: "messages", GEMINI: "gemini"}


class Lane(NamedTuple):
    """One way to call the gateway."""

    client: str
    stream: bool

    def __str__(self) -> str:
        return SHORT[self.client] + ("-stream" if self.stream else "")


LANES = [Lane(client, stream) for client in FOUR for stream in (False, True)]


async def call(gateway: RunningGateway, lane: Lane, model: str) -> WireReply:
    """One question."""
    said: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
    if lane.client == GEMINI:
        verb = "streamGenerateContent?alt=sse" if lane.stream else "generateContent"
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        return await gateway.post(f"/v1beta/models/{model}:{verb}", body)
    body = {"model": model, "stream": lane.stream}
    if lane.client == RESPONSES:
        return await gateway.post("/v1/responses", {**body, "input": said})
    if lane.client == MESSAGES:
        return await gateway.post("/v1/messages", {**body, "messages": said, "max_tokens": 64})
    return await gateway.post("/v1/chat/completions", {**body, "messages": said})


def heard_text(lane: Lane, reply: WireReply) -> str:
    """The text of an answer, whole or not."""
    if lane.client in (CHAT, MESSAGES):
        return told_text(lane.client, reply)
    said = [record.fields for record in records(reply.body)] if lane.stream else [reply.json()]
    if lane.client == GEMINI:
        candidates = [candidate for one in said for candidate in one.get("candidates", [])]
        return "".join(part.get("text", "") for one in candidates for part in one.get("content", {}).get("parts", []))
    if lane.stream:
        return "".join(one["delta"] for one in said if one["type"] == "response.output_text.delta")
    return "".join(part["text"] for item in said[0]["output"] for part in item.get("content", []))


def looks_finished(client: str, body: bytes) -> bool:
    """A client would take this stream for a complete answer."""
    if client in (CHAT, MESSAGES):
        return ended_normally(client, body)
    said = [record.fields for record in records(body)]
    if client == GEMINI:
        return any(candidate.get("finishReason") for one in said for candidate in one.get("candidates", []))
    return any(one["type"] in ("response.completed", "response.incomplete") for one in said)


def error_at_end(client: str, body: bytes) -> dict[str, Any] | None:
    """The error object, if the stream's last event is the in-band error of this protocol."""
    if client in (CHAT, MESSAGES):
        return error_told(client, body)
    last = records(body)[-1]
    if client == GEMINI:
        return last.fields.get("error")
    return last.fields["response"]["error"] if last.name == last.fields["type"] == "response.failed" else None


def check_refusal(client: str, reply: WireReply) -> str:
    """The reply is an HTTP error in the shape of this protocol; its message."""
    assert reply.complete
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    error: dict[str, Any] = body["error"]
    assert error["message"]
    if client == GEMINI:
        assert error["code"] == reply.status
        assert error["status"].isupper()
    elif client == MESSAGES:
        assert body["type"] == "error"
        assert error["type"].endswith("_error")
    else:
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"]
    return error["message"]
