"""The calls that a client makes, as bytes: path, headers and body for each case."""

import json
from dataclasses import dataclass
from typing import Any

from bench.agent_request import (
    chat_agent_request,
    gemini_agent_request,
    messages_agent_request,
    responses_agent_request,
    sized,
)
from bench.cases import Kind, WireProtocol

SMALL_REQUEST_BYTES = 90
PATHS: dict[WireProtocol, str] = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "gemini": "/v1beta/models/",
}
"""Where each protocol is called; Gemini's calls add the model and the verb."""

_AGENT_REQUESTS = {
    "chat": chat_agent_request,
    "messages": messages_agent_request,
    "responses": responses_agent_request,
    "gemini": gemini_agent_request,
}
MODELS: dict[WireProtocol, str] = {
    "chat": "bench-chat",
    "messages": "bench-messages",
    "responses": "bench-responses",
    "gemini": "bench-gemini",
}
"""The public model name that leads to the upstream speaking that protocol."""


@dataclass(frozen=True, slots=True)
class Call:
    """One POST, ready to be sent again and again. `headers` hold the key: never print them."""

    path: str
    headers: dict[str, str]
    body: bytes

    def wire(self, host: str) -> bytes:
        """The whole HTTP/1.1 request."""
        lines = [f"POST {self.path} HTTP/1.1", f"host: {host}", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def call(kind: Kind, client: WireProtocol, upstream: WireProtocol, key: str) -> Call:
    """The call of one case: spelled in the client's protocol, for the model behind the upstream's protocol."""
    headers = {"content-type": "application/json"}
    match client:
        case "messages":
            headers |= {"x-api-key": key, "anthropic-version": "2023-06-01"}
        case "gemini":
            headers["x-goog-api-key"] = key
        case _:
            headers["authorization"] = f"Bearer {key}"
    model, path = MODELS[upstream], PATHS[client]
    if client == "gemini":
        path += f"{model}:streamGenerateContent?alt=sse" if kind == "stream" else f"{model}:generateContent"
    return Call(path, headers, request_body(kind, client, model))


def request_body(kind: Kind, client: WireProtocol, model: str) -> bytes:
    """The JSON of one request."""
    if kind == "agent":
        return sized(_AGENT_REQUESTS[client], model)
    return _small_request(client, model) if kind == "chat" else _stream_request(client, model)


def _small_request(client: WireProtocol, model: str) -> bytes:
    text = "Say hello, please. And again, and once more, and then be still."
    room = SMALL_REQUEST_BYTES - len(_json(_question(client, model, "")))
    return _json(_question(client, model, text[:room]))


def _question(client: WireProtocol, model: str, text: str) -> dict[str, Any]:
    """The shortest request that asks ``text``; Responses would be kept by the gateway if it did not say otherwise."""
    match client:
        case "gemini":
            return {"contents": [{"parts": [{"text": text}]}]}
        case "responses":
            return {"model": model, "input": text, "store": False}
        case _:
            return {"model": model, "messages": [{"role": "user", "content": text}]}


def _stream_request(client: WireProtocol, model: str) -> bytes:
    request = _question(client, model, "Tell me what the agent does.")
    match client:
        case "chat":
            request |= {"max_tokens": 1024, "stream": True, "stream_options": {"include_usage": True}}
        case "messages":
            request |= {"max_tokens": 1024, "stream": True}
        case "responses":
            request |= {"max_output_tokens": 1024, "stream": True}
        case "gemini":
            request["generationConfig"] = {"maxOutputTokens": 1024}
    return _json(request)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
