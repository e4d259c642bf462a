"""Content parts, neutral to wire."""

from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    CacheHint,
    Citation,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolResultPart,
)
from anykey.protocols.openai_responses.content import decode_content
from anykey.protocols.openai_responses.content_encoding import ContentWriter, collapse
from anykey.protocols.openai_responses.dialect import Dialect
from tests.unit.protocols.openai_responses.test_content import PARTS

FULL = Dialect(cache_breakpoints=True, audio=True, video=True)
PNG = MediaPart("image", "image/png", "QUJD")


def written(part: Part, dialect: Dialect | None = None) -> tuple[dict[str, Any] | None, list[str]]:
    log = LossLog("request")
    return ContentWriter(dialect or Dialect(), log).input(part, "p"), [loss.code for loss in log.losses]


@pytest.mark.parametrize(("wire", "part"), PARTS)
def test_a_part_comes_back(wire: dict[str, Any], part: Part) -> None:
    log = LossLog("request")
    writer = ContentWriter(FULL, log)
    if wire["type"] in ("output_text", "refusal") and isinstance(part, TextPart | RefusalPart):
        again = writer.output(part, "p")
    else:
        again = writer.input(part, "p")
    assert again is not None
    assert decode_content([again], "p") == [part]
    assert [loss.code for loss in log.losses] == (["approximated:p"] if "file_id" in wire else [])


@pytest.mark.parametrize(
    ("part", "losses"),
    [
        (TextPart("a", CacheHint("1h")), ["dropped:p.cache_control"]),
        (TextPart("a", citations=(Citation("anthropic_messages", {}),)), ["dropped:p.citations"]),
        (MediaPart("audio", "audio/wav", "QUJD"), ["dropped:p"]),
        (MediaPart("video", url="https://a"), ["dropped:p"]),
        (MediaPart("document", text="hello", title="t"), ["approximated:p"]),
        (MediaPart("image", "image/png", url="https://a"), ["dropped:p.media_type"]),
        (MediaPart("image", file_id="f", title="t"), ["approximated:p", "dropped:p.title"]),
        (
            OpaquePart("anthropic_messages", "search_result", {"title": "T", "content": [{"text": "x"}]}),
            ["approximated:p"],
        ),
        (OpaquePart("anthropic_messages", "odd", {}), ["dropped:p"]),
        (TextPart("a", extras={"openai_chat": {"x": 1}}), ["dropped:p.x"]),
        (ReasoningPart("a"), ["dropped:p"]),
    ],
)
def test_what_is_not_carried_is_a_loss(part: Part, losses: list[str]) -> None:
    assert written(part)[1] == losses


def test_lifetimes_of_marks() -> None:
    for ttl, sent, losses in (("5m", None, ["approximated:p.cache_control.ttl"]), ("12h", "12h", []), (None, None, [])):
        entry, found = written(TextPart("a", CacheHint(ttl)), FULL)
        assert entry is not None
        assert entry["prompt_cache_breakpoint"] == {"mode": "explicit", **({"ttl": sent} if sent else {})}
        assert found == losses


def test_a_document_by_address_may_be_named_in_words() -> None:
    entry, losses = written(MediaPart("document", url="https://a", title="T"), Dialect(file_urls=False))
    assert entry == {"type": "input_text", "text": "Document T: https://a"}
    assert losses == ["approximated:p"]


def output_of(result: ToolResultPart, dialect: Dialect) -> tuple[Any, list[Any], list[str]]:
    log = LossLog("request")
    output, media = ContentWriter(dialect, log).output_of(result, "p")
    return output, media, [loss.code for loss in log.losses]


def test_an_output_may_hold_pictures() -> None:
    result = ToolResultPart("c", (TextPart("see"), PNG))
    image = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}
    assert output_of(result, Dialect()) == ([{"type": "input_text", "text": "see"}, image], [], [])
    output, media, losses = output_of(result, Dialect(media_results=False))
    assert output == "see\n[The image follows in the next user message.]"
    assert media[1] == image
    assert losses == ["emulated:p.content", "approximated:p.content"]


def test_an_output_is_one_text_where_it_is_nothing_else() -> None:
    result = ToolResultPart("c", (TextPart("one"), TextPart("two")))
    assert output_of(result, Dialect(media_results=False)) == ("one\ntwo", [], ["approximated:p.content"])
    assert output_of(ToolResultPart("c", (TextPart("one"),)), Dialect(media_results=False)) == ("one", [], [])


def test_an_error_says_so() -> None:
    loss = ["emulated:p.is_error"]
    assert output_of(ToolResultPart("c", (TextPart("no"),), is_error=True), Dialect()) == ("Error: no", [], loss)
    assert output_of(ToolResultPart("c", (TextPart("error 5"),), is_error=True), Dialect())[0] == "error 5"
    assert output_of(ToolResultPart("c", (), is_error=True), Dialect()) == ("Error", [], loss)


def test_one_plain_text_is_a_string() -> None:
    assert collapse([]) == ""
    assert collapse([{"type": "input_text", "text": "a"}]) == "a"
    assert collapse([{"type": "output_text", "text": "a", "annotations": []}]) == "a"
    assert isinstance(collapse([{"type": "input_text", "text": "a", "prompt_cache_breakpoint": {}}]), list)
