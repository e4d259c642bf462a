"""What a scripted Gemini upstream says: an answer of parts, whole and as the chunks that Google sends for it."""

import json
from typing import Any

Json = dict[str, Any]
HEAD: Json = {"modelVersion": "upstream-model", "responseId": "r7"}


def usage(read: int, written: int, *, cached: int = 0, thought: int = 0) -> Json:
    """`cached` is part of `read`; `thought` comes on top of `written`, as Google counts."""
    counts = {"promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written + thought}
    more = {"cachedContentTokenCount": cached, "thoughtsTokenCount": thought}
    return {**counts, **{key: count for key, count in more.items() if count}}


def call(name: str, arguments: Json, signature: str | None = None) -> Json:
    """Google's calls often have no id."""
    signed = {"thoughtSignature": signature} if signature else {}
    return {"functionCall": {"name": name, "args": arguments}, **signed}


def whole(parts: list[Json], used: Json, finish: str = "STOP", **more: Any) -> Json:
    """`more` goes into the candidate."""
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": used, **HEAD}


def stream(parts: list[Json], used: Json, finish: str = "STOP", **more: Any) -> list[str]:
    """Texts come in two chunks, other parts in one, the finish with the last."""
    pieces: list[Json] = []
    for part in parts:
        text: str = part.get("text", "")
        cut = len(text) // 2
        pieces += [{**part, "text": text[:cut]}, {**part, "text": text[cut:]}] if cut else [part]
    chunks: list[Json] = [
        {"candidates": [{"content": {"role": "model", "parts": [piece]}, "index": 0}], **HEAD} for piece in pieces[:-1]
    ]
    chunks.append(whole(pieces[-1:], used, finish, **more))
    return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks]
