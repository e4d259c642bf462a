"""The calls that a client makes, as bytes: path, headers and body for each case."""

import json
from dataclasses import dataclass
from typing import Any

from bench.agent_request import chat_agent_request, messages_agent_request, sized
from bench.cases import Kind, WireProtocol

SMALL_REQUEST_BYTES = 90
PATHS: dict[WireProtocol, str] = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
MODELS: dict[WireProtocol, str] = {"chat": "bench-chat", "messages": "bench-messages"}
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
    if client == "chat":
        headers["authorization"] = f"Bearer {key}"
    else:
        headers |= {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return Call(PATHS[client], headers, request_body(kind, client, MODELS[upstream]))


def request_body(kind: Kind, client: WireProtocol, model: str) -> bytes:
    """The JSON of one request."""
    if kind == "agent":
        return sized(chat_agent_request if client == "chat" else messages_agent_request, model)
    return _small_request(model) if kind == "chat" else _stream_request(client, model)


def _small_request(model: str) -> bytes:
    def wire(text: str) -> bytes:
        return _json({"model": model, "messages": [{"role": "user", "content": text}]})

    return wire("Say hello, please. And again.."[: SMALL_REQUEST_BYTES - len(wire(""))])


def _stream_request(client: WireProtocol, model: str) -> bytes:
    request: dict[str, Any] = {"model": model, "max_tokens": 1024, "stream": True}
    request["messages"] = [{"role": "user", "content": "Tell me what the agent does."}]
    if client == "chat":
        request["stream_options"] = {"include_usage": True}
    return _json(request)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
