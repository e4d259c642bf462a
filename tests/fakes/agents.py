"""Agents of all four protocols that call a tool at every turn and give back what they were told, and upstreams of Responses and
Gemini that think before each call. Those of Chat and Messages are in `thinking`.
"""

import json
from typing import Any

from tests.fakes.answers import CHAT, MESSAGES, MODEL, PATHS, records, request
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import SIGNATURE, THINKING, TOOLS, TURN, tool_result
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

RESPONSES = "openai_responses"
GEMINI = "gemini_generate"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def thinking_gemini(text: str, turn: int) -> Script:
    """A Gemini upstream that thinks, then calls a tool with a signature on it."""
    call: dict[str, Any] = {"functionCall": {"name": "read", "args": {}}, "thoughtSignature": signature_of(turn)}
    parts: list[dict[str, Any]] = [{"text": text, "thought": True}, call]
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "thoughtsTokenCount": 1, "totalTokenCount": 11}
    head = {"modelVersion": MODEL, "responseId": f"r{turn}"}

    def document(said: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"candidates": [{"content": {"role": "model", "parts": said}, "index": 0, **more}], **head}

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        if "streamGenerateContent" not in asked.target:
            await connection.json(200, {**document(parts, finishReason="STOP"), "usageMetadata": usage})
            return
        last = {**document([], finishReason="STOP"), "usageMetadata": usage}
        await connection.sse_start()
        for chunk in (document(parts[:1]), document(parts[1:]), last):
            await connection.sse(f"data: {json.dumps(chunk)}\r\n\r\n")
        await connection.sse_end()

    return script


def thinking_responses(text: str, turn: int) -> Script:
    """A Responses upstream that thinks with encrypted content, then calls a tool."""
    reasoning: dict[str, Any] = {
        "type": "reasoning",
        "id": f"rs_{turn}",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": signature_of(turn),
    }
    call = {
        "type": "function_call",
        "id": f"fc_{turn}",
        "call_id": f"call_{turn}",
        "name": "read",
        "arguments": "{}",
        "status": "completed",
    }
    base: dict[str, Any] = {"id": f"resp_{turn}", "object": "response", "created_at": 1_700_000_000, "model": MODEL}
    usage = {"input_tokens": 7, "output_tokens": 4, "total_tokens": 11}
    done = {**base, "status": "completed", "output": [reasoning, call], "usage": usage}

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        if not asked.json().get("stream"):
            await connection.json(200, done)
            return
        summary = {"item_id": reasoning["id"], "output_index": 0, "summary_index": 0}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": {**base, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": {**reasoning, "summary": []}},
            {"type": "response.reasoning_summary_part.added", **summary, "part": {"type": "summary_text", "text": ""}},
            {"type": "response.reasoning_summary_text.delta", **summary, "delta": text},
            {"type": "response.reasoning_summary_text.done", **summary, "text": text},
            {"type": "response.reasoning_summary_part.done", **summary, "part": reasoning["summary"][0]},
            {"type": "response.output_item.done", "output_index": 0, "item": reasoning},
            {"type": "response.output_item.added", "output_index": 1, "item": {**call, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", "item_id": call["id"], "output_index": 1, "delta": "{}"},
            {
                "type": "response.function_call_arguments.done",
                "item_id": call["id"],
                "output_index": 1,
                "arguments": "{}",
            },
            {"type": "response.output_item.done", "output_index": 1, "item": call},
            {"type": "response.completed", "response": done},
        ]
        await connection.sse_start()
        for number, event in enumerate(events):
            data = json.dumps({**event, "sequence_number": number})
            await connection.sse(f"event: {event['type']}\ndata: {data}\n\n")
        await connection.sse_end()

    return script


def signature_of(turn: int) -> str:
    """State as the upstreams here make it: legal base64, another at every turn."""
    return SIGNATURE[:-6] + f"{turn:03d}Q=="


UPSTREAMS = {**THINKING, GEMINI: thinking_gemini, RESPONSES: thinking_responses}


class Agent:
    """One client with its history. ``turn`` asks once and takes the answer and the tool's result into the history."""

    def __init__(self, gateway: RunningGateway, protocol: str, *, stream: bool) -> None:
        self._gateway = gateway
        self._protocol = protocol
        self._stream = stream
        self.history: list[dict[str, Any]] = [
            {"role": "user", "parts": [{"text": "hi"}]} if protocol == GEMINI else {"role": "user", "content": "hi"}
        ]

    async def turn(self) -> None:
        path, body = self._request()
        reply = await self._gateway.post(path, body)
        assert reply.status == 200, reply.body
        self.history += self._take(reply.body)

    def _request(self) -> tuple[str, dict[str, Any]]:
        if self._protocol == GEMINI:
            verb = "streamGenerateContent?alt=sse" if self._stream else "generateContent"
            tools: list[dict[str, Any]] = [{"functionDeclarations": [{"name": "read", "parametersJsonSchema": SCHEMA}]}]
            return f"/v1beta/models/test-model:{verb}", {"contents": self.history, "tools": tools}
        if self._protocol == RESPONSES:
            tools = [{"type": "function", "name": "read", "parameters": SCHEMA}]
            fixed: dict[str, Any] = {"model": "test-model", "store": False, "include": ["reasoning.encrypted_content"]}
            return "/v1/responses", {**fixed, "input": self.history, "tools": tools, "stream": self._stream}
        asked = request(self._protocol, tools=TOOLS[self._protocol], stream=self._stream)
        return PATHS[self._protocol], {**asked, "messages": self.history}

    def _take(self, body: bytes) -> list[dict[str, Any]]:
        if self._protocol == GEMINI:
            return self._take_gemini(body)
        if self._protocol == RESPONSES:
            done = records(body)[-1].fields["response"] if self._stream else json.loads(body)
            (call,) = [item for item in done["output"] if item["type"] == "function_call"]
            result = {"type": "function_call_output", "call_id": call["call_id"], "output": "done"}
            return [*done["output"], result]
        said = TURN[self._protocol](body, stream=self._stream)
        calls = said["tool_calls"] if self._protocol == CHAT else said["content"]
        call_id = calls[0]["id"] if self._protocol == CHAT else calls[-1]["id"]
        return [said, tool_result(self._protocol, call_id)]

    def _take_gemini(self, body: bytes) -> list[dict[str, Any]]:
        documents = [record.fields for record in records(body)] if self._stream else [json.loads(body)]
        contents = [
            document["candidates"][0].get("content", {}) for document in documents if document.get("candidates")
        ]
        # Gemini CLI does not send thoughts back, only the signatures on other parts.
        parts = [part for content in contents for part in content.get("parts", []) if not part.get("thought")]
        (call,) = [part["functionCall"] for part in parts if "functionCall" in part]
        answer = {"functionResponse": {"name": call["name"], "response": {"output": "done"}}}
        return [{"role": "model", "parts": parts}, {"role": "user", "parts": [answer]}]


def state_sent(upstream: str, call: RecordedCall) -> list[str]:
    """The state that reached an upstream, in order, each beside the tool call it belongs to."""
    body = call.json()
    if upstream == MESSAGES:
        blocks = [
            block for message in body["messages"] if message["role"] == "assistant" for block in message["content"]
        ]
        return [block["signature"] for block in blocks if block["type"] == "thinking"]
    if upstream == GEMINI:
        parts = [part for content in body["contents"] if content["role"] == "model" for part in content["parts"]]
        return [part["thoughtSignature"] for part in parts if "functionCall" in part]
    if upstream == RESPONSES:
        return [item["encrypted_content"] for item in body["input"] if item.get("type") == "reasoning"]
    details = [message["reasoning_details"] for message in body["messages"] if message["role"] == "assistant"]
    return [entry["signature"] for entries in details for entry in entries]


def script_turn(server: WireServer, upstream: str, turn: int) -> None:
    """Have the upstream think and call at this turn."""
    server.script = UPSTREAMS[upstream](f"thought {turn}", turn)
