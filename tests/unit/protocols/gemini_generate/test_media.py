import pytest

from anykey.conversation.parts import Json, MediaKind, MediaPart
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.media import (
    decode_file,
    decode_inline,
    encode_media,
    is_own_file,
    is_youtube,
    kind_of_media,
    standard_base64,
)


@pytest.mark.parametrize(
    ("text", "standard"), [("-_8", "+/8="), ("+/8=", "+/8="), ("QUJD", "QUJD"), ("QQ", "QQ=="), ("", "")]
)
def test_base64_is_in_the_standard_alphabet_with_padding(text: str, standard: str) -> None:
    assert standard_base64(text) == standard


@pytest.mark.parametrize(
    ("media_type", "url", "kind"),
    [
        ("image/png", None, "image"),
        ("audio/wav", None, "audio"),
        ("video/mp4", None, "video"),
        ("application/pdf", None, "document"),
        ("text/plain", None, "document"),
        (None, "https://youtu.be/x", "video"),
        (None, "https://example.test/a", "image"),
    ],
)
def test_what_a_medium_is(media_type: str | None, url: str | None, kind: MediaKind) -> None:
    assert kind_of_media(media_type, url) == kind


@pytest.mark.parametrize(
    ("uri", "own", "film"),
    [
        ("files/abc", True, False),
        ("gs://bucket/a.png", True, False),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc", True, False),
        ("https://www.youtube.com/watch?v=1", False, True),
        ("https://youtu.be/1", False, True),
        ("https://example.test/youtube.com/", False, False),
        ("file-abc", False, False),
    ],
)
def test_where_a_file_is(uri: str, own: bool, film: bool) -> None:
    assert is_own_file(uri) is own
    assert is_youtube(uri) is film


def test_bytes_are_read_with_all_that_stands_beside_them() -> None:
    fields = Fields({"inlineData": {"mime_type": "image/png", "data": "-_8", "displayName": "a", "x": 1}}, "p")
    assert decode_inline(fields) == MediaPart(
        "image", "image/png", "+/8=", title="a", extras={"gemini_generate": {"inlineData.x": 1}}
    )


def test_a_file_that_google_holds_is_an_id_and_another_an_address() -> None:
    own = decode_file(Fields({"fileData": {"fileUri": "files/1", "mimeType": "video/mp4"}}, "p"))
    assert own == MediaPart("video", "video/mp4", file_id="files/1")
    assert decode_file(Fields({"fileData": {"file_uri": "https://a/b.png"}}, "p")) == MediaPart(
        "image", url="https://a/b.png"
    )


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (MediaPart("image", "image/png", "QQ=="), {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}),
        (MediaPart("document", data="QQ=="), {"inlineData": {"mimeType": "application/pdf", "data": "QQ=="}}),
        (MediaPart("image", url="https://a"), {"fileData": {"fileUri": "https://a"}}),
        (
            MediaPart("video", "video/mp4", file_id="files/1"),
            {"fileData": {"fileUri": "files/1", "mimeType": "video/mp4"}},
        ),
        (MediaPart("document", text="hi"), None),
    ],
)
def test_a_medium_is_bytes_or_a_place(part: MediaPart, wire: Json | None) -> None:
    assert encode_media(part) == wire
