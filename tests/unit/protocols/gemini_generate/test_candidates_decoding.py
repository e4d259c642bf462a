"""Which parts the chunks of a candidate become; `heard` checks every stream against the law of streams."""

from typing import Any

import pytest

from anykey.conversation.assembly import assemble
from anykey.conversation.parts import MediaPart, OpaquePart, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.response import Finish
from tests.unit.protocols.gemini_generate.answers import chunk, heard, parts_of, sse, state, streamed, whole

STOP = {"finishReason": "STOP"}


def call(name: str, signature: str | None = None, **fields: Any) -> dict[str, Any]:
    part = {"functionCall": {"name": name, **fields}}
    return {**part, "thoughtSignature": signature} if signature else part


def test_texts_and_thoughts_are_joined_across_chunks() -> None:
    thoughts = [{"text": "I ", "thought": True}, {"text": "think", "thought": True}]
    parts = parts_of(chunk(thoughts[0]), chunk(thoughts[1]), chunk({"text": "A"}), chunk({"text": "b"}, **STOP))
    assert parts == (ReasoningPart("I think"), TextPart("Ab"))


def test_a_signature_on_a_call_is_the_state_of_the_thought_before_it() -> None:
    parts = parts_of(chunk({"text": "hm", "thought": True}), chunk(call("f", "c2ln", args={"a": 1}, id="1"), **STOP))
    assert parts == (ReasoningPart("hm", state("c2ln", "call")), ToolCallPart("1", "f", '{"a":1}'))


def test_a_signature_without_a_thought_has_a_part_of_its_own() -> None:
    parts = parts_of(chunk({"text": "So"}), chunk(call("f", "c2ln", id="1"), call("g", id="2"), **STOP))
    assert parts == (
        TextPart("So"),
        ReasoningPart("", state("c2ln", "call"), redacted=True),
        ToolCallPart("1", "f", ""),
        ToolCallPart("2", "g", ""),
    )


def test_a_signature_in_the_url_safe_alphabet_is_the_same() -> None:
    parts = parts_of(chunk(call("f", "-_8", id="1"), **STOP))
    assert parts[0] == ReasoningPart("", state("+/8=", "call"), redacted=True)


def test_a_signed_text_stays_apart() -> None:
    parts = parts_of(
        chunk({"text": "a"}), chunk({"text": "b", "thoughtSignature": "c2ln"}), chunk({"text": "c"}, **STOP)
    )
    assert parts == (
        TextPart("a"),
        ReasoningPart("", state("c2ln", "text"), redacted=True),
        TextPart("b"),
        TextPart("c"),
    )


def test_a_signature_on_an_empty_text_ends_the_answer() -> None:
    last = chunk({"text": "", "thoughtSignature": "c2ln"}, **STOP)
    assert parts_of(chunk({"text": "a"}), last) == (
        TextPart("a"),
        ReasoningPart("", state("c2ln", "end"), redacted=True),
    )


def test_signatures_keep_their_order() -> None:
    """One on an empty text between a thought and a signed call belongs to neither."""
    parts = parts_of(
        chunk({"text": "hm", "thought": True}, {"text": "", "thoughtSignature": "Zmlyc3Q="}),
        chunk(call("f", "c2Vjb25k", id="1"), {"text": "more", "thought": True}, **STOP),
    )
    assert parts == (
        ReasoningPart("hm"),
        ReasoningPart("", state("Zmlyc3Q=", "end"), redacted=True),
        ReasoningPart("", state("c2Vjb25k", "call"), redacted=True),
        ToolCallPart("1", "f", ""),
        ReasoningPart("more"),
    )


def test_a_thought_may_be_signed_itself() -> None:
    signed = {"text": "hm", "thought": True, "thoughtSignature": "c2ln"}
    assert parts_of(chunk(signed), chunk({"text": "x", "thought": True}, **STOP)) == (
        ReasoningPart("hm", state("c2ln", "thought")),
        ReasoningPart("x"),
    )


def test_a_picture_and_its_signature() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"}
    assert parts_of(chunk(picture, **STOP)) == (
        ReasoningPart("", state("c2ln", "media"), redacted=True),
        MediaPart("image", "image/png", "AAAA"),
    )


def test_a_draft_picture_is_no_part_of_the_answer() -> None:
    draft = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
    assert parts_of(chunk(draft, **STOP)) == (OpaquePart("gemini_generate", "inlineData", draft),)


@pytest.mark.parametrize("kind", ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"])
def test_tools_that_google_runs_are_kept_with_their_signature(kind: str) -> None:
    part = {kind: {"id": "1"}, "thoughtSignature": "c2ln"}
    answer = streamed(chunk({"text": "a"}), chunk(part), chunk({"text": "b"}, **STOP))
    assert answer.choices[0].parts == (TextPart("a"), OpaquePart("gemini_generate", kind, part), TextPart("b"))
    assert answer.choices[0].finish == Finish("stop")


def test_calls_without_ids_have_the_same_ones_every_time() -> None:
    chunks = [chunk(call("f"), call("f")), chunk(call("g"), **STOP)]
    parts = parts_of(*chunks)
    ids = [part.id for part in parts if isinstance(part, ToolCallPart)]
    assert len(set(ids)) == 3
    assert all(name.startswith("call_") and len(name) == 29 for name in ids)
    assert parts_of(*chunks) == parts
    assert whole(chunk(call("f"), call("f"), call("g"), **STOP)).choices[0].parts == parts
    assert streamed(*({**item, "responseId": "other"} for item in chunks)).choices[0].parts != parts


def test_a_call_decides_over_the_reason() -> None:
    answer = streamed(chunk(call("f", id="1"), finishMessage="Model generated function call(s).", **STOP))
    assert answer.choices[0].finish == Finish("tool_calls")


def test_a_call_that_comes_in_pieces() -> None:
    def pieces(*values: str, name: str | None = None, goes_on: bool = True) -> dict[str, Any]:
        args = [{"jsonPath": "$.id", "stringValue": value, "willContinue": True} for value in values]
        inner: dict[str, Any] = {"name": name} if name else {}
        return {"functionCall": {**inner, **({"partialArgs": args} if args else {}), "willContinue": goes_on}}

    opening = {**pieces(name="f"), "thoughtSignature": "c2ln"}
    parts = parts_of(
        chunk(opening),
        chunk(pieces("A")),
        chunk(pieces("B")),
        chunk({"functionCall": {}}),
        chunk(pieces("C", name="g")),
        chunk({"text": "cut"}, finishReason="MAX_TOKENS"),
    )
    assert parts[0] == ReasoningPart("", state("c2ln", "call"), redacted=True)
    assert [(part.name, part.arguments) for part in parts if isinstance(part, ToolCallPart)] == [
        ("f", '{"id":"AB"}'),
        ("g", '{"id":"C"}'),
    ]
    assert parts[3] == TextPart("cut")


def test_the_other_spelling_is_read() -> None:
    part = {"function_call": {"name": "f", "id": "1", "args": {"a_b": 1}}, "thought_signature": "c2ln"}
    assert parts_of(chunk(part, **STOP)) == (
        ReasoningPart("", state("c2ln", "call"), redacted=True),
        ToolCallPart("1", "f", '{"a_b":1}'),
    )


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        ("odd", "dropped:choices[0].parts[0]"),
        ({"functionCall": {"args": {}}}, "dropped:choices[0].parts[0]"),
        ({"functionCall": "odd"}, "dropped:choices[0].parts[0]"),
        ({"functionCall": {"name": 3}}, "dropped:choices[0].parts[0]"),
        ({"text": 3}, "dropped:choices[0].parts[0]"),
        (
            {"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "odd"}]}},
            "approximated:choices[0].parts[0].arguments",
        ),
    ],
)
def test_what_cannot_be_read_is_a_loss(part: Any, loss: str) -> None:
    events, losses = heard(sse(chunk(part), chunk({"text": "on"}, **STOP)))
    assert losses == [loss]
    assert assemble(events).choices[0].parts[-1] == TextPart("on")


def test_extras_of_a_part_are_kept() -> None:
    part = {"text": "a", "partMetadata": {"k": 1}}
    assert parts_of(chunk(part, **STOP)) == (TextPart("a", extras={"gemini_generate": {"partMetadata": {"k": 1}}}),)


GROUNDED = {
    "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
    "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 5, "text": "is"}, "groundingChunkIndices": [0]}],
}


def test_sources_stand_on_the_last_text() -> None:
    end = {"text": "", "thoughtSignature": "c2ln"}
    answer = streamed(chunk({"text": "é "}), chunk({"text": "is"}), chunk(end, groundingMetadata=GROUNDED, **STOP))
    text, signature = answer.choices[0].parts
    assert isinstance(text, TextPart)
    assert [(c.url, c.start, c.end) for c in text.citations] == [("https://a", 2, 4)]
    assert signature == ReasoningPart("", state("c2ln", "end"), redacted=True)
    assert answer.choices[0].extras == {"gemini_generate": {"groundingMetadata": GROUNDED}}


def test_sources_of_a_text_that_a_stream_has_left_are_a_loss() -> None:
    chunks = [
        chunk({"text": "a  is"}, {"toolCall": {"id": "1"}}),
        chunk({"text": "b"}, groundingMetadata=GROUNDED, **STOP),
    ]
    assert heard(sse(*chunks))[1] == ["dropped:choices[0].parts[0].citations"]
    first = whole([*chunks]).choices[0].parts[0]
    assert isinstance(first, TextPart)
    assert [(c.start, c.end) for c in first.citations] == [(3, 5)]


def test_sources_without_a_text_are_a_loss() -> None:
    _, losses = heard(sse(chunk(call("f", id="1"), groundingMetadata=GROUNDED, **STOP)))
    assert losses == ["dropped:choices[0].citations"]


def test_empty_grounding_says_nothing() -> None:
    answer = streamed(chunk({"text": "a"}, groundingMetadata={}), chunk({"text": "b"}, **STOP))
    assert answer.choices[0].extras == {}


def test_what_stands_beside_the_content_is_kept() -> None:
    ratings = [{"category": "C", "probability": "LOW"}]
    answer = streamed(chunk({"text": "a"}, safetyRatings=[]), chunk(avgLogprobs=-0.5, safetyRatings=ratings, **STOP))
    assert answer.choices[0].extras == {"gemini_generate": {"avgLogprobs": -0.5, "safetyRatings": ratings}}


def test_log_probabilities_come_in_slices() -> None:
    first, second = ({"chosenCandidates": [{"token": name, "logProbability": -1}]} for name in "ab")
    answer = streamed(chunk({"text": "a"}, logprobsResult=first), chunk({"text": "b"}, logprobsResult=second, **STOP))
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert [token["token"] for token in logprobs["content"]] == ["a", "b"]
