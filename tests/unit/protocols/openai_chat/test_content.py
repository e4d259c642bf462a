from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, MediaPart, OpaquePart, Part, ReasoningPart, RefusalPart, TextPart
from anykey.protocols.openai_chat.content import (
    ContentWriter,
    data_uri,
    decode_content,
    decode_part,
    readable_text,
    split_data_uri,
    thinking_text,
)
from anykey.protocols.openai_chat.dialect import Dialect
from tests.unit.protocols.openai_chat.samples import FULL, PLAIN, codes


def write(part: Part, dialect: Dialect = PLAIN) -> tuple[dict[str, Any] | None, list[str]]:
    log = LossLog("request")
    return ContentWriter(dialect, log).write(part, "p"), codes(log.losses)


PARTS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "text", "text": "hi"}, TextPart("hi")),
    ({"type": "text", "text": "hi", "x": 1}, TextPart("hi", extras={"openai_chat": {"x": 1}})),
    ({"type": "refusal", "refusal": "no"}, RefusalPart("no")),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        MediaPart("image", "image/png", "AAAA", detail="low"),
    ),
    ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, MediaPart("image", url="https://x/y.png")),
    (
        {"type": "video_url", "video_url": {"url": "https://x/v.mp4", "fps": 2}},
        MediaPart("video", url="https://x/v.mp4", extras={"openai_chat": {"video_url": {"fps": 2}}}),
    ),
    ({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}, MediaPart("audio", "audio/mpeg", "AA")),
    ({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}, MediaPart("audio", "audio/wav", "AA")),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        MediaPart("document", "application/pdf", "JVBE", title="a.pdf"),
    ),
    ({"type": "odd", "odd": [1]}, OpaquePart("openai_chat", "odd", {"type": "odd", "odd": [1]})),
    (
        {"type": "text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        TextPart("hi", CacheHint("12h")),
    ),
]


@pytest.mark.parametrize(("wire", "part"), PARTS)
def test_a_part_reads_and_comes_back(wire: dict[str, Any], part: Part) -> None:
    assert decode_part(wire, "p") == part
    assert write(part, FULL) == (wire, [])


def test_content_is_text_an_array_or_nothing() -> None:
    assert decode_content("a", "p") == [TextPart("a")]
    assert decode_content(None, "p") == []
    assert decode_content([{"type": "text", "text": "a"}], "p") == [TextPart("a")]
    with pytest.raises(FailureError, match=r"p: expected a string or an array"):
        decode_content(3, "p")


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ({"text": "x"}, "p.type"),
        ({"type": "image_url", "image_url": {}}, "p.image_url.url"),
        ({"type": "image_url", "image_url": 3}, "p.image_url"),
        ({"type": "input_audio"}, "p.input_audio"),
        ({"type": "file"}, "p.file"),
        ("x", "p"),
    ],
)
def test_the_field_at_fault_is_named(wire: Any, path: str) -> None:
    with pytest.raises(FailureError) as caught:
        decode_part(wire, "p")
    assert caught.value.failure.param == path


def test_an_image_may_be_a_bare_string() -> None:
    assert decode_part({"type": "image_url", "image_url": "https://x/y"}, "p") == MediaPart("image", url="https://x/y")


def test_thinking_inside_content_is_reasoning() -> None:
    part = decode_part({"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}, "p")
    assert part == ReasoningPart("so")
    assert thinking_text("so") == "so"
    assert thinking_text(None) == ""


@pytest.mark.parametrize("url", ["data:,hello", "https://x", "data:text/plain;base64"])
def test_only_base64_data_is_data(url: str) -> None:
    assert split_data_uri(url) == (None, None)
    assert data_uri(MediaPart("image", data="AA")) == "data:application/octet-stream;base64,AA"


@pytest.mark.parametrize(
    ("hint", "dialect", "key", "mark", "losses"),
    [
        (None, Dialect(cache_control=True), "cache_control", {"type": "ephemeral"}, []),
        ("1h", Dialect(cache_control=True), "cache_control", {"type": "ephemeral", "ttl": "1h"}, []),
        ("12h", Dialect(cache_control=True), "cache_control", {"type": "ephemeral", "ttl": "1h"}, ["approximated"]),
        ("5m", Dialect(cache_breakpoints=True), "prompt_cache_breakpoint", {"mode": "explicit"}, ["approximated"]),
        (
            "1h",
            Dialect(cache_breakpoints=True),
            "prompt_cache_breakpoint",
            {"mode": "explicit", "ttl": "30m"},
            ["approximated"],
        ),
        ("1h", PLAIN, "cache_control", None, ["dropped"]),
    ],
)
def test_a_cache_mark_in_the_dialect_of_the_upstream(
    hint: str | None, dialect: Dialect, key: str, mark: Any, losses: list[str]
) -> None:
    entry, found = write(TextPart("x", CacheHint(hint)), dialect)
    assert entry is not None
    assert entry.get(key) == mark
    assert [code.split(":")[0] for code in found] == losses


@pytest.mark.parametrize(
    ("part", "text", "loss"),
    [
        (MediaPart("document", text="body", title="T"), "T\n\nbody", "approximated:p"),
        (MediaPart("document", url="https://x/a.pdf"), "Document: https://x/a.pdf", "approximated:p"),
        (MediaPart("image", file_id="f"), "[An image was left out here]", "dropped:p"),
        (MediaPart("audio", url="https://x"), "[An audio was left out here]", "dropped:p"),
        (
            OpaquePart(
                "anthropic_messages", "search_result", {"title": "T", "content": [{"type": "text", "text": "b"}]}
            ),
            "T\nb",
            "approximated:p",
        ),
    ],
)
def test_what_chat_has_no_part_for_is_told_as_text(part: Part, text: str, loss: str) -> None:
    assert write(part) == ({"type": "text", "text": text}, [loss])


def test_a_document_where_files_are_not_taken_is_said_to_be_missing() -> None:
    entry, losses = write(MediaPart("document", "application/pdf", "AA"), Dialect(file_parts=False))
    assert entry == {"type": "text", "text": "[A document was left out here]"}
    assert losses == ["dropped:p"]


def test_a_document_without_a_name_gets_one() -> None:
    entry, losses = write(MediaPart("document", "application/pdf", "AA"))
    assert entry == {
        "type": "file",
        "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"},
    }
    assert losses == []


def test_a_foreign_block_without_words_is_dropped() -> None:
    assert write(OpaquePart("anthropic_messages", "container_upload", {"file_id": "f"})) == (None, ["dropped:p"])
    assert readable_text({"tool_name": "read"}) == "read"


def test_a_part_that_cannot_stand_there_is_a_loss() -> None:
    assert write(ReasoningPart("x")) == (None, ["dropped:p"])


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "x"}}, r"prompt_cache_breakpoint\.mode"),
        ({"type": "text", "text": "a", "cache_control": {"type": "x"}}, r"cache_control\.type"),
        ({"type": "file", "file": {}}, r"content\[0\]\.file"),
    ],
)
def test_what_nobody_could_understand_is_refused_by_its_path(part: Any, field: str) -> None:
    with pytest.raises(FailureError, match=field):
        decode_part(part, "content[0]")


def test_further_keys_of_audio_and_files_come_back() -> None:
    for part in (
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav", "x_new": 1}},
        {"type": "file", "file": {"filename": "a", "file_data": "data:application/pdf;base64,AA==", "file_id": "f"}},
    ):
        written = ContentWriter(FULL, LossLog("request")).write(decode_part(part, "content[0]"), "content[0]")
        assert written == part


REFERENCES = Dialect(media_references=True)


@pytest.mark.parametrize(
    ("wire", "losses"),
    [
        ({"type": "image_url", "image_url": {"file_id": "file-1", "detail": "low"}}, ["approximated:p"]),
        ({"type": "video_url", "video_url": {"url": "https://x/v.mp4", "fps": 2}}, []),
        ({"type": "video_url", "video_url": {"file_id": "file-1", "fps": 2}}, ["approximated:p"]),
        ({"type": "input_audio", "input_audio": {"url": "https://x/a.mp3", "format": "mp3"}}, []),
        ({"type": "input_audio", "input_audio": {"file_id": "file-1"}}, ["approximated:p"]),
        ({"type": "file", "file": {"file_url": "https://x/a.pdf", "filename": "a.pdf"}}, []),
    ],
)
def test_media_by_reference_where_it_is_taken(wire: Any, losses: list[str]) -> None:
    assert write(decode_part(wire, "p"), REFERENCES) == (wire, losses)


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "image_url", "image_url": {"url": "https://x/a.png", "file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav", "url": "https://x/a.wav"}},
    ],
)
def test_a_second_reference_is_kept_as_it_is(wire: Any) -> None:
    assert write(decode_part(wire, "p")) == (wire, [])


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ({"type": "image_url", "image_url": {"file_id": "f"}}, "[An image was left out here]"),
        ({"type": "input_audio", "input_audio": {"url": "https://x/a.mp3"}}, "[An audio was left out here]"),
    ],
)
def test_media_by_reference_is_left_out_elsewhere(wire: Any, text: str) -> None:
    assert write(decode_part(wire, "p")) == ({"type": "text", "text": text}, ["dropped:p"])


@pytest.mark.parametrize("wire", [{"type": "image_url", "image_url": {}}, {"type": "input_audio", "input_audio": {}}])
def test_media_of_nothing_is_refused(wire: Any) -> None:
    with pytest.raises(FailureError, match="this field is required"):
        decode_part(wire, "p")
