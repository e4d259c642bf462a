from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import OpaquePart, OpaqueState, Part, ReasoningPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.reasoning import (
    decode_detail,
    encode_detail,
    needs_details,
    read_reasoning,
    write_history,
)
from tests.unit.protocols.openai_chat.samples import codes

SIGNED = ReasoningPart("so", OpaqueState("anthropic_messages", "sig"))
DETAILS: list[tuple[dict[str, Any], ReasoningPart]] = [
    ({"type": "reasoning.text", "text": "so", "signature": "sig", "format": "anthropic-claude-v1"}, SIGNED),
    ({"type": "reasoning.text", "text": "so"}, ReasoningPart("so")),
    (
        {"type": "reasoning.text", "text": "so", "format": "unknown", "id": "r1"},
        ReasoningPart("so", extras={"openai_chat": {"format": "unknown", "id": "r1"}}),
    ),
    (
        {"type": "reasoning.summary", "summary": "so", "format": "openai-responses-v1"},
        ReasoningPart("so", extras={"openai_chat": {"type": "reasoning.summary", "format": "openai-responses-v1"}}),
    ),
    (
        {"type": "reasoning.encrypted", "data": "gAAA", "format": "openai-responses-v1", "id": "rs_1"},
        ReasoningPart("", OpaqueState("openai_responses", "gAAA"), True, {"openai_chat": {"id": "rs_1"}}),
    ),
    ({"type": "reasoning.encrypted", "data": "gAAA"}, ReasoningPart("", OpaqueState("openai_chat", "gAAA"), True)),
]


@pytest.mark.parametrize(("wire", "part"), DETAILS)
def test_a_detail_reads_and_comes_back(wire: dict[str, Any], part: ReasoningPart) -> None:
    assert decode_detail({**wire, "index": 3}, "p") == part
    assert encode_detail(part, 1) == {**wire, "index": 1}


def test_an_unknown_detail_is_kept_whole() -> None:
    value = {"type": "reasoning.server_tool_call", "id": "x"}
    assert decode_detail(value, "p") == OpaquePart("openai_chat", "reasoning_details.reasoning.server_tool_call", value)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"reasoning_content": "a"}, [ReasoningPart("a")]),
        ({"reasoning": "a"}, [ReasoningPart("a")]),
        ({"reasoning": "a", "reasoning_content": "a"}, [ReasoningPart("a")]),
        ({"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a"}]}, [ReasoningPart("a")]),
        (
            {"reasoning": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
            [ReasoningPart("a"), ReasoningPart("", OpaqueState("openai_chat", "x"), True)],
        ),
        ({"reasoning_content": "", "reasoning": None}, []),
    ],
)
def test_text_given_twice_is_kept_once(message: dict[str, Any], parts: list[Part]) -> None:
    assert read_reasoning(Fields(message)) == parts


def history(parts: list[ReasoningPart], dialect: Dialect, *, echo: bool = True) -> tuple[dict[str, Any], list[str]]:
    log, message = LossLog("request"), dict[str, Any]()
    write_history(message, [(f"p{n}", part) for n, part in enumerate(parts)], echo=echo, dialect=dialect, log=log)
    return message, codes(log.losses)


def test_history_goes_back_in_the_form_the_upstream_takes() -> None:
    details = Dialect(reasoning_details=True)
    assert history([SIGNED], details) == ({"reasoning_details": [encode_detail(SIGNED, 0)]}, [])
    assert history([ReasoningPart("so")], details) == ({"reasoning_content": "so"}, [])
    assert history([SIGNED], Dialect(reasoning_field="reasoning")) == ({"reasoning": "so"}, ["dropped:p0.state"])
    assert history([SIGNED], Dialect(reasoning_field="none")) == ({}, ["dropped:p0"])
    assert history([SIGNED], Dialect(), echo=False) == ({}, ["dropped:p0"])
    assert history([], Dialect()) == ({}, [])


def test_state_alone_is_an_empty_text_for_an_upstream_that_insists_on_the_field() -> None:
    redacted = ReasoningPart("", OpaqueState("anthropic_messages", "x"), redacted=True)
    assert history([redacted], Dialect()) == ({"reasoning_content": ""}, ["dropped:p0.state"])
    assert needs_details([redacted])
    assert not needs_details([ReasoningPart("a")])


def test_several_pieces_become_one_text() -> None:
    pieces = [ReasoningPart("a"), ReasoningPart("b", extras={"openai_chat": {"id": "r"}})]
    assert history(pieces, Dialect()) == ({"reasoning_content": "ab"}, ["dropped:p1.id", "approximated:p1"])


def test_a_signature_without_text_belongs_to_the_text_beside_it() -> None:
    details = [{"type": "reasoning.text", "signature": "sig", "format": "anthropic-claude-v1"}]
    assert read_reasoning(Fields({"reasoning_content": "so", "reasoning_details": details})) == [SIGNED]
