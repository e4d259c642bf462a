from typing import Any

import msgspec
import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Citation,
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
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.parts_decoding import place_signature, read_part
from anykey.protocols.gemini_generate.said_encoding import SENTINEL, SaidWriter
from anykey.protocols.names import sent_name

CALL = ToolCallPart("c", "f", '{"a":1}')
WIRE_CALL = {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}
IMAGE = MediaPart("image", "image/png", "QQ==")


def own(place: str, text: str | None = None, data: str = "QQ==") -> ReasoningPart:
    return ReasoningPart(text or "", OpaqueState("gemini_generate", data, place), redacted=text is None)


def written(*parts: Part, dialect: Dialect | None = None) -> tuple[Any, list[str]]:
    log, target = LossLog("request"), list[dict[str, Any]]()
    writer = SaidWriter(dialect or Dialect(), log)
    writer.write(target, parts, "messages[0].parts")
    writer.close(target)
    return msgspec.json.decode(msgspec.json.encode(target)), [loss.code for loss in log.losses]


@pytest.mark.parametrize(
    "wire",
    [
        [{**WIRE_CALL, "thoughtSignature": "QQ=="}, WIRE_CALL],
        [{"text": "hm", "thought": True}, {**WIRE_CALL, "thoughtSignature": "QQ=="}],
        [{"text": "hm", "thought": True, "thoughtSignature": "QQ=="}, WIRE_CALL],
        [{"text": "hm", "thought": True}, {"text": "a", "thoughtSignature": "QQ=="}],
        [{"text": "a"}, {"text": "", "thoughtSignature": "QQ=="}],
        [{"text": "a"}, {**WIRE_CALL, "thoughtSignature": "QQ=="}],
        [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}, "thoughtSignature": "QQ=="}],
        [{"executableCode": {"code": "1"}, "thoughtSignature": "QQ=="}, {"codeExecutionResult": {"output": "1"}}],
    ],
)
def test_signatures_go_back_to_where_they_stood(wire: list[dict[str, Any]]) -> None:
    parts: list[Part] = []
    for entry in wire:
        place_signature(parts, read_part(entry, "p"))
    assert written(*parts) == (wire, [])


@pytest.mark.parametrize(
    ("parts", "signed"),
    [
        ((own(""), TextPart("a"), CALL), 0),
        ((own("call"), TextPart("a"), CALL), 1),
        ((own("text"), CALL, TextPart("a")), 1),
        ((own("call"), TextPart("a")), 1),
        ((own("call"), own("text"), TextPart("a")), 0),
    ],
)
def test_a_signature_waits_for_its_kind_of_part(parts: tuple[Part, ...], signed: int) -> None:
    wire, losses = written(*parts)
    assert "thoughtSignature" in wire[signed]
    assert losses == []
    assert all(part["thoughtSignature"] == "QQ==" for part in wire if part.get("text") == "")


def test_a_signature_may_come_a_message_before_its_call() -> None:
    log, target = LossLog("request"), list[dict[str, Any]]()
    writer = SaidWriter(Dialect(), log)
    writer.write(target, (own("call"),), "messages[0].parts")
    writer.write(target, (CALL,), "messages[1].parts")
    writer.close(target)
    assert [list(entry) for entry in target] == [["functionCall", "thoughtSignature"]]
    assert writer.names == {"c": "f"}


@pytest.mark.parametrize("state", [None, OpaqueState("anthropic_messages", "sig")])
def test_thoughts_of_others_are_not_sent(state: OpaqueState | None) -> None:
    assert written(ReasoningPart("hm", state), TextPart("a")) == ([{"text": "a"}], ["dropped:messages.parts"])


def test_a_demanded_signature_is_stood_in_for_on_the_first_call_only() -> None:
    demanding = Dialect(thought_signatures="required")
    wire, losses = written(TextPart("a"), CALL, CALL, dialect=demanding)
    assert [entry.get("thoughtSignature") for entry in wire] == [None, SENTINEL, None]
    assert losses == ["approximated:messages.parts"]
    assert written(own("call"), CALL, CALL, dialect=demanding)[1] == []
    assert written(TextPart("a"), dialect=demanding) == ([{"text": "a"}], [])


def test_arguments_names_and_ids_are_sent_as_they_can_be() -> None:
    assert written(ToolCallPart("c", "f.g", "[1]")) == (
        [{"functionCall": {"id": "c", "name": sent_name("f.g"), "args": {"_raw": "[1]"}}}],
        ["emulated:messages.parts.name", "approximated:messages.parts.arguments"],
    )
    assert written(CALL, dialect=Dialect(call_ids=False)) == (
        [{"functionCall": {"name": "f", "args": {"a": 1}}}],
        ["emulated:messages.parts.id"],
    )


def test_what_has_no_place_is_named() -> None:
    wire, losses = written(
        TextPart("a", CacheHint(), (Citation("openai_chat", {}),), {"openai_chat": {"x": 1}}),
        RefusalPart("no", {"openai_chat": {"y": 1}}),
        ToolCallPart("h", "search", "{}", "hosted"),
        OpaquePart("anthropic_messages", "server_tool_use", {}),
        ToolResultPart("h"),
        ReasoningPart("seen", OpaqueState("gemini_generate", "QQ==", "end"), redacted=True),
        IMAGE,
    )
    assert [entry.get("text") for entry in wire] == ["a", "no", "", None]
    assert losses == [
        "dropped:messages.parts.cache_control",
        "dropped:messages.parts.citations",
        "dropped:messages.parts.x",
        "approximated:messages.parts",
        "dropped:messages.parts.y",
        "dropped:messages.parts",
        "dropped:messages.parts",
        "dropped:messages.parts",
        "dropped:messages.parts.text",
    ]
