"""An upstream that speaks generateContent, by hand: no codec of the gateway is in it."""

import json
from typing import Any, cast

from tests.conformance.matrix.spoken import Answer, Call, Heard, Item, Json, Medium, Result, Text, Tool, halves
from tests.fakes.answers import MODEL

ENDS = {"stop": "STOP", "stop_sequence": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "refusal": "SAFETY"}
SIGNED = "EqQBCkYIBxgCKkD+/signedAAA=="
"""The provider signs the first call of every turn."""


class GeminiListener:
    """Calls have ids, and the first one is signed, as the provider has it from its third generation on."""

    def heard(self, target: str, body: Json) -> Heard:
        body = _camel(body)
        path, _, query = target.partition("?")
        model, _, verb = path.removeprefix("/v1beta/models/").partition(":")
        if verb == "countTokens":
            body = body.get("generateContentRequest", body)
        assert query == ("alt=sse" if verb == "streamGenerateContent" else "")
        config: Json = body.get("generationConfig", {})
        heard = Heard(model=model, stream=verb == "streamGenerateContent", limit=config.get("maxOutputTokens"))
        heard.thinks = config.get("thinkingConfig", {}).get("includeThoughts", False)
        heard.system = "".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", []))
        heard.stop = tuple(config.get("stopSequences", ()))
        heard.schema = config.get("responseJsonSchema")
        for group in body.get("tools", []):
            for tool in group["functionDeclarations"]:
                schema = tool["parametersJsonSchema"]
                heard.tools.append(Tool(tool["name"], tool.get("description", ""), schema))
        for content in body["contents"]:
            for part in content["parts"]:
                heard.items += _items(part, content.get("role", "user"))
                signature = part.get("thoughtSignature")
                heard.states += [_standard(signature)] if signature else []
        return heard

    def whole(self, answer: Answer) -> Json:
        ends: Json = {"finishReason": ENDS[answer.end]}
        if answer.source:
            ends["groundingMetadata"] = _grounding(answer)
        return {**_chunk(_parts(answer), **ends), "usageMetadata": _usage(answer)}

    def stream(self, answer: Answer) -> list[str]:
        told = [_chunk([cut]) for part in _parts(answer) for cut in _cut(part)]
        ends: Json = {"finishReason": ENDS[answer.end]}
        if answer.source:
            ends["groundingMetadata"] = _grounding(answer)
        chunks = [*told, {**_chunk([], **ends), "usageMetadata": _usage(answer)}]
        return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks]

    def failure(self, status: int, message: str) -> Json:
        return {"error": {"code": status, "message": message, "status": "RESOURCE_EXHAUSTED"}}

    def broken(self, message: str) -> str:
        error = {"error": {"code": 500, "message": message, "status": "INTERNAL"}}
        return f"data: {json.dumps(error)}\r\n\r\n"

    def counted(self, tokens: int) -> Json:
        return {"totalTokens": tokens}


def _camel(value: Any) -> Any:
    """Keys as Google documents them: its SDK spells some the other way. What is the caller's own stays as it is."""
    if isinstance(value, list):
        return [_camel(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found: Json = {}
    for key, item in cast("Json", value).items():
        first, *rest = key.split("_")
        name = first + "".join(word.capitalize() for word in rest)
        found[name] = item if name in _FREE else _camel(item)
    return found


_FREE = ("args", "response", "parametersJsonSchema", "responseJsonSchema")


def _items(part: Json, role: str) -> list[Item]:
    if part.get("thought"):
        return []
    if "text" in part:
        return [Text(role, part["text"])] if part["text"] else []
    if "inlineData" in part:
        return [_medium(part)]
    if "functionCall" in part:
        call = part["functionCall"]
        return [Call(call["name"], call.get("args", {}), call["id"])]
    answer = part["functionResponse"]
    response: Json = answer["response"]
    media = [_medium(inner) for inner in answer.get("parts", [])]
    said = response.get("error") or response.get("output") or ""
    return [Result(answer["id"], said, "error" in response, media[0] if media else None)]


def _medium(part: Json) -> Medium:
    return Medium(part["inlineData"]["mimeType"], _standard(part["inlineData"]["data"]))


def _standard(data: str) -> str:
    """The same bytes: Google's SDK writes the URL-safe alphabet, and Google reads both."""
    return data.replace("-", "+").replace("_", "/")


def _parts(answer: Answer) -> list[Json]:
    parts: list[Json] = [{"text": answer.thought, "thought": True}] if answer.thought else []
    if answer.text:
        parts.append({"text": answer.text})
    for index, call in enumerate(answer.calls):
        part: Json = {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}
        parts.append(part if index else {**part, "thoughtSignature": answer.state or SIGNED})
    return parts


def _cut(part: Json) -> list[Json]:
    return [{**part, "text": text} for text in halves(part["text"])] if "text" in part else [part]


def _chunk(parts: list[Json], **more: object) -> Json:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **more}
    return {"candidates": [candidate], "modelVersion": MODEL, "responseId": "r7"}


def _grounding(answer: Answer) -> Json:
    """Offsets are UTF-8 bytes."""
    assert answer.source
    assert answer.source.said
    before, said, _ = answer.text.partition(answer.source.said)
    start = len(before.encode())
    segment = {"startIndex": start, "endIndex": start + len(said.encode()), "text": said}
    return {
        "groundingChunks": [{"web": {"uri": answer.source.url, "title": answer.source.title}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    }


def _usage(answer: Answer) -> Json:
    read, written, cached = answer.usage
    counts = {"promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written}
    return {**counts, **({"cachedContentTokenCount": cached} if cached else {})}
