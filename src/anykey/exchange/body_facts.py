"""What a request body of any protocol says, as far as routing needs it: counted, not decoded.

One pass finds the fields of the body, one more goes through what is said and the tools; only texts become Python values, and of
base64 only the length. So 76 KB take a quarter of a millisecond and 64 MB no longer than their bytes need to be passed over.
Tokens are estimated by the rules of `conversation/estimate.py`, on the wire's words: a little more where JSON counts with them.

What is malformed is counted as the text it is, and says nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.estimate import (
    BYTES_PER_TOKEN,
    IMAGE_TOKENS,
    OVERHEAD_TOKENS,
    PDF_BYTES,
    PDF_TOKENS,
    image_tokens,
)
from anykey.exchange.body_shapes import Generation, Reasoning, Said, Tool, Top

MOST_PIECES = 100_000
"""Commas: a field with more of them is counted as one text, for its pieces may be so many that they hold the gateway up."""
_LONGEST_HEAD = 600
"""Characters of each text in which a client's mark can stand."""
_MOST_HEADS = 8
_IMAGE_HEAD = 64  # of base64: enough for the size of a PNG
_LONGEST_METADATA = 4096
_SEARCHES = ("web_search", "google_search")
_NO_EFFORT = frozenset({"", "none", "minimal"})
_MODEL_SPEAKS = frozenset({"assistant", "model"})
_MODEL_ITEMS = frozenset({"reasoning", "function_call", "custom_tool_call", "web_search_call", "local_shell_call"})
_SYSTEM_ROLES = frozenset({"system", "developer"})


class BodyFacts(NamedTuple):
    """`tokens`: estimated, of the whole input. `images`: in what was said since the model spoke last. `system` and `asked`: the
    beginnings of the system texts and of the user's last words, for who looks for marks. `named`: documents, sounds and films
    that are only named, so that nobody here knows how long they are."""

    tokens: int = 0
    max_tokens: int | None = None
    tools: int = 0
    images: int = 0
    web_search: bool = False
    thinking: bool = False
    effort: str = ""
    system: str = ""
    asked: str = ""
    client_metadata: str = ""
    named: int = 0


_top = msgspec.json.Decoder(Top)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_said = msgspec.json.Decoder(Said)
_tools = msgspec.json.Decoder(list[Tool])
_reasoning = msgspec.json.Decoder(Reasoning)
_generation = msgspec.json.Decoder(Generation)
_count = msgspec.json.Decoder(int)
_word = msgspec.json.Decoder(str)
_DEEPEST = 32
"""Parts inside parts: a result in a message holds parts, and nothing real goes deeper."""
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_body(body: bytes) -> BodyFacts:
    """What `body` says. Never raises."""
    try:
        top = _top.decode(body)
    except _MALFORMED:
        return BodyFacts(tokens=max(math.ceil(len(body) / BYTES_PER_TOKEN), 1))
    tally = _Tally()
    for system in (top.system, top.instructions, top.system_instruction, top.systemInstruction):
        if size_of(system):
            tally.hear_system(system)
    for said in (top.messages, top.contents, top.input):
        if size_of(said):
            tally.hear(said)
    tools, web_search = _tools_of(top, tally)
    thinking, effort, limit = _reasoning_of(top)
    return BodyFacts(
        tokens=max(tally.tokens + math.ceil(tally.size / BYTES_PER_TOKEN), 1),
        max_tokens=limit,
        tools=tools,
        images=tally.images,
        web_search=web_search,
        thinking=thinking,
        effort=effort,
        system="\n".join(tally.system),
        asked=tally.asked,
        client_metadata=bytes(top.client_metadata)[:_LONGEST_METADATA].decode(errors="replace"),
        named=tally.named,
    )


def size_of(raw: msgspec.Raw) -> int:
    """Bytes of a piece of JSON, without a copy of it."""
    return len(memoryview(raw))


def _is_crowded(raw: msgspec.Raw) -> bool:
    return size_of(raw) > MOST_PIECES and bytes(raw).count(b",") > MOST_PIECES


class _Tally:
    """What was counted so far. `size` is bytes of text, `tokens` what media and messages cost besides."""

    def __init__(self) -> None:
        self.size = self.tokens = self.images = self.named = 0
        self.system: list[str] = []
        self.asked = ""

    def hear_system(self, raw: msgspec.Raw) -> None:
        """A system text: a string, parts of one, or Gemini's object of parts."""
        if _is_crowded(raw):
            self.size += size_of(raw)
            return
        for part in _parts_of(raw):
            if part is None:
                self.size += size_of(raw)
                continue
            self._count(part)
            self._note_system(part)

    def hear(self, raw: msgspec.Raw) -> None:
        """What is said: messages, contents or items, or one string."""
        if _is_crowded(raw):
            self.size += size_of(raw)
            return
        try:
            items = _items.decode(raw)
        except _MALFORMED:
            items = [raw]
        self.tokens += OVERHEAD_TOKENS * len(items)
        for item in items:
            for said in _parts_of(item):
                if said is None:
                    self.size += size_of(item)
                else:
                    self._hear(said)

    def _hear(self, said: Said) -> None:
        if said.role in _MODEL_SPEAKS or (said.role is None and said.type in _MODEL_ITEMS):
            self._count(said)
            self.images = 0
            return
        self._count(said)
        if said.role in _SYSTEM_ROLES:
            self._note_system(said)
        elif (said.role == "user" or said.role is said.type is None) and (text := _heads(said)):
            self.asked = text

    def _note_system(self, said: Said) -> None:
        if len(self.system) < _MOST_HEADS:
            self.system.append(_heads(said))

    def _count(self, said: Said, depth: int = 0) -> None:
        if depth > _DEEPEST:
            return
        for text in (said.text, said.thinking, said.reasoning_content, said.refusal, said.name):
            if text:
                self.size += _length(text)
        for raw in (said.arguments, said.input, said.tool_calls, said.functionCall, said.functionResponse):
            self.size += size_of(raw)
        for inner in (said.content, said.parts, said.summary, said.output):
            if isinstance(inner, str):
                self.size += _length(inner)
            elif inner:
                for part in inner:
                    self._count(part, depth + 1)
        for tool in said.tools or ():
            self.size += size_of(tool)
        self._count_medium(said)

    def _count_medium(self, said: Said) -> None:
        if size_of(said.image_url):
            self._see(_base64_in(said.image_url))
        if size_of(said.file_data):
            self.tokens += _document_tokens(size_of(said.file_data))
            self.named += bytes(memoryview(said.file_data)[:1]) == b"{"  # Gemini's, which names one
        if any(map(size_of, (said.file_id, said.file_url, said.video_url, said.audio_url))):
            self._hear_of(said.type or "")
        if said.fileData is not None:
            self._hear_of(said.fileData.mimeType or "")
        for source in (said.source, said.inlineData, said.inline_data, said.file, said.input_audio):
            if source is None:
                continue
            media_type = source.media_type or source.mimeType or source.mime_type or ""
            if said.type == "image" or media_type.startswith("image/"):
                self._see(bytes(memoryview(source.data)[1 : 1 + _IMAGE_HEAD]))
            elif source.type == "text":
                self.size += size_of(source.data)
            else:
                size = size_of(source.data) or size_of(source.file_data)
                self.tokens += _document_tokens(size)
                self.named += not size

    def _hear_of(self, kind: str) -> None:
        """Something that is named by an address or an id."""
        if "image" in kind:
            self._see(b"")
        else:
            self.named += 1

    def _see(self, head: bytes) -> None:
        self.images += 1
        self.tokens += image_tokens(head.decode("latin-1")) if head else IMAGE_TOKENS


def _parts_of(raw: msgspec.Raw) -> Iterable[Said | None]:
    """A text, a part or a list of parts; None for what is neither."""
    try:
        match bytes(memoryview(raw)[:1]):
            case b'"':
                return (Said(text=_word.decode(raw)),)
            case b"[":
                return [_said.decode(part) for part in _items.decode(raw)]
            case _:
                return (_said.decode(raw),)
    except _MALFORMED:
        return (None,)


def _heads(said: Said) -> str:
    """The beginnings of its texts, where a client's mark can stand."""
    if said.text:
        return said.text[:_LONGEST_HEAD]
    inner = said.content or said.parts or ""
    if isinstance(inner, str):
        return inner[:_LONGEST_HEAD]
    return "\n".join(part.text[:_LONGEST_HEAD] for part in inner[-_MOST_HEADS:] if part.text)


def _tools_of(top: Top, tally: _Tally) -> tuple[int, bool]:
    """(number of tools, whether the provider's own web search is one)."""
    searches = size_of(top.web_search_options) > 0
    if not size_of(top.tools):
        return 0, searches
    tally.size += size_of(top.tools)
    if _is_crowded(top.tools):
        return 0, searches
    try:
        tools = _tools.decode(top.tools)
    except _MALFORMED:
        return 0, searches
    count = 0
    for tool in tools:
        declared = tool.functionDeclarations or tool.function_declarations
        count += 1 if declared is None else len(declared)
        searches = searches or (tool.type or "").startswith(_SEARCHES)
        searches = searches or size_of(tool.googleSearch) + size_of(tool.google_search) > 0
    tally.tokens += OVERHEAD_TOKENS * count
    return count, searches


def _reasoning_of(top: Top) -> tuple[bool, str, int | None]:
    """(whether it asks for reasoning, how much, the most tokens of the answer)."""
    generation = _lenient(_generation, top.generationConfig) or _lenient(_generation, top.generation_config)
    gemini = generation.thinkingConfig if generation is not None else None
    limits = (_lenient(_count, raw) for raw in (top.max_tokens, top.max_completion_tokens, top.max_output_tokens))
    limit = next((found for found in limits if found is not None), generation.maxOutputTokens if generation else None)
    if gemini is not None:
        level = (gemini.thinkingLevel or "").lower()
        return bool(gemini.includeThoughts or gemini.thinkingBudget or level), level, limit
    thinking, configured = _lenient(_reasoning, top.thinking), _lenient(_reasoning, top.output_config)
    reasoning = _lenient(_reasoning, top.reasoning)
    effort = (configured and configured.effort) or (reasoning and reasoning.effort) or ""
    effort = effort or _lenient(_word, top.reasoning_effort) or ""
    if thinking is not None:
        return thinking.type not in {None, "disabled"}, effort, limit
    return effort not in _NO_EFFORT and configured is None, effort, limit


def _lenient(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> Any:
    """What the decoder reads; None where there is nothing that it can."""
    try:
        return decoder.decode(raw) if size_of(raw) else None
    except _MALFORMED:
        return None


def _base64_in(raw: msgspec.Raw) -> bytes:
    """The beginning of the data of a data URL, empty for another one."""
    head = bytes(memoryview(raw)[:256])
    _, found, data = head.partition(b"base64,")
    return data[:_IMAGE_HEAD] if found else b""


def _document_tokens(size: int) -> int:
    return PDF_TOKENS * max(math.ceil(size * 3 / 4 / PDF_BYTES), 1)


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
