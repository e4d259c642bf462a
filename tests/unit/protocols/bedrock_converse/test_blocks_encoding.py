from typing import Any

import msgspec
import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.bedrock_converse.blocks_encoding import BlockWriter
from anykey.protocols.bedrock_converse.dialect import dialect

OWN = OpaqueState("bedrock_converse", "c2ln")


def written(*parts: Part, **fields: Any) -> tuple[list[Json], list[str]]:
    log = LossLog("request")
    blocks = BlockWriter(dialect(fields), log).blocks(parts, "p")
    return msgspec.json.decode(msgspec.json.encode(blocks)), [f"{loss.kind}:{loss.path}" for loss in log.losses]


CASES: list[tuple[Part, list[Json], list[str]]] = [
    (TextPart("a"), [{"text": "a"}], []),
    (TextPart(""), [], []),
    (TextPart(" \n"), [], ["dropped:p[0]"]),
    (TextPart("a", citations=(Citation("openai_chat", {}),)), [{"text": "a"}], ["dropped:p[0].citations"]),
    (
        ReasoningPart("Hm", OWN),
        [{"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "c2ln"}}}],
        [],
    ),
    (ReasoningPart("", OWN, redacted=True), [{"reasoningContent": {"redactedContent": "c2ln"}}], []),
    (ReasoningPart("Hm"), [], ["dropped:p[0]"]),
    (ReasoningPart("Hm", OpaqueState("anthropic_messages", "x")), [], ["dropped:p[0]"]),
    (RefusalPart("No."), [{"text": "No."}], ["approximated:p[0]"]),
    (OpaquePart("openai_chat", "x", {}), [], ["dropped:p[0]"]),
    (OpaquePart("bedrock_converse", "x", {"x": 1}), [{"x": 1}], []),
    (ToolCallPart("c", "run", "{}", "hosted"), [], ["dropped:p[0]"]),
    (ToolCallPart("c", "run", ""), [{"toolUse": {"toolUseId": "c", "name": "run", "input": {}}}], []),
    (
        ToolCallPart("c", "run", "[1]", "legacy_function"),
        [{"toolUse": {"toolUseId": "c", "name": "run", "input": {"_raw": "[1]"}}}],
        ["approximated:p[0].kind", "approximated:p[0].arguments"],
    ),
]


@pytest.mark.parametrize(("part", "blocks", "losses"), CASES)
def test_parts(part: Part, blocks: list[Json], losses: list[str]) -> None:
    assert written(part) == (blocks, losses)


def test_a_result_of_texts_and_pictures() -> None:
    content = (
        TextPart("a", cache=CacheHint()),
        MediaPart("image", "image/png", "iVBO"),
        MediaPart("audio", "audio/wav", "UklG"),
    )
    blocks, losses = written(ToolResultPart("c", content, is_error=True, name="run"))
    inner = [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": "iVBO"}}}]
    assert blocks == [{"toolResult": {"toolUseId": "c", "content": inner, "status": "error"}}]
    assert losses == ["dropped:p[0].name", "dropped:p[0].content[0].cache", "dropped:p[0].content[2]"]


def test_a_hint_is_a_block_behind_its_own() -> None:
    blocks, losses = written(TextPart("a", CacheHint()), TextPart("b"), cache_points="prompt")
    assert blocks == [{"text": "a"}, {"cachePoint": {"type": "default"}}, {"text": "b"}]
    assert losses == []


def test_an_id_follows_its_call() -> None:
    blocks, losses = written(ToolCallPart("a:0", "run", "{}"), ToolResultPart("a:0"))
    assert blocks[0]["toolUse"]["toolUseId"] == blocks[1]["toolResult"]["toolUseId"] != "a:0"
    assert losses == ["approximated:p[0].id"]
