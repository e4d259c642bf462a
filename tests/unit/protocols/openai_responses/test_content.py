"""Content parts, wire to neutral."""

from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import CacheHint, Citation, MediaPart, OpaquePart, Part, RefusalPart, TextPart
from anykey.protocols.openai_responses.content import decode_content, split_data_uri

NAME = "openai_responses"
LINK = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}
PARTS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "input_text", "text": "Hi"}, TextPart("Hi")),
    ({"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}, TextPart("Hi")),
    (
        {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        TextPart("Hi", CacheHint("12h")),
    ),
    (
        {"type": "output_text", "text": "Hi", "annotations": [LINK], "logprobs": [{"token": "Hi"}]},
        TextPart(
            "Hi",
            citations=(Citation(NAME, LINK, "https://a", "A", start=0, end=2),),
            extras={NAME: {"logprobs": [{"token": "Hi"}]}},
        ),
    ),
    ({"type": "refusal", "refusal": "No."}, RefusalPart("No.")),
    (
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "high"},
        MediaPart("image", "image/png", "QUJD", detail="high"),
    ),
    ({"type": "input_image", "image_url": {"url": "https://a"}}, MediaPart("image", url="https://a")),
    ({"type": "input_image", "image_url": None, "file_id": "f"}, MediaPart("image", file_id="f")),
    (
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
        MediaPart("document", "application/pdf", "QUJD", title="a.pdf"),
    ),
    (
        {"type": "input_file", "file_url": "https://a", "x": 1},
        MediaPart("document", url="https://a", extras={NAME: {"x": 1}}),
    ),
    ({"type": "input_file", "file_id": "f"}, MediaPart("document", file_id="f")),
    (
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3", "x": 1}},
        MediaPart("audio", "audio/mpeg", "QUJD", extras={NAME: {"input_audio": {"x": 1}}}),
    ),
    ({"type": "input_video", "video_url": "https://a"}, MediaPart("video", url="https://a")),
    ({"type": "input_video", "video_url": "data:video/mp4;base64,QUJD"}, MediaPart("video", "video/mp4", "QUJD")),
    ({"type": "odd", "x": 1}, OpaquePart(NAME, "odd", {"type": "odd", "x": 1})),
]


@pytest.mark.parametrize(("wire", "part"), PARTS)
def test_a_part_is_read(wire: dict[str, Any], part: Part) -> None:
    assert decode_content([wire], "p") == [part]


def test_content_may_be_a_string_or_nothing() -> None:
    assert decode_content("Hi", "p") == [TextPart("Hi")]
    assert decode_content(None, "p") == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "p: expected a string or an array, got a number"),
        ([3], r"p\[0\]: expected an object"),
        ([{"type": "input_image"}], r"p\[0\]: image_url or file_id is required"),
        ([{"type": "input_file"}], r"p\[0\]: file_data, file_url or file_id is required"),
        ([{"type": "input_audio"}], r"p\[0\]\.input_audio: this field is required"),
        ([{"type": ["input_text"], "text": "x"}], r"p\[0\]\.type: expected a string"),
        ([{"type": "input_text", "text": 3}], r"p\[0\]\.text: expected a string"),
        (
            [{"type": "input_text", "text": "", "prompt_cache_breakpoint": {"mode": "x"}}],
            r"p\[0\]\.prompt_cache_breakpoint\.mode: expected 'explicit'",
        ),
    ],
)
def test_what_cannot_be_read_is_named(value: Any, message: str) -> None:
    with pytest.raises(FailureError, match=message):
        decode_content(value, "p")


def test_only_base64_is_taken_out_of_a_data_uri() -> None:
    assert split_data_uri("data:;base64,QQ") == (None, "QQ")
    assert split_data_uri("data:text/plain,hi") == (None, None)
    assert split_data_uri("https://a") == (None, None)
