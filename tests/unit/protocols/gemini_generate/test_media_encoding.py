from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, MediaPart
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.media_encoding import MediaWriter

FULL = Dialect(image_urls=True, display_names=True, media_resolution=True)


def written(part: MediaPart, dialect: Dialect | None = None) -> tuple[dict[str, Any], list[str]]:
    log = LossLog("request")
    return MediaWriter(dialect or Dialect(), log).write(part, "p"), [loss.code for loss in log.losses]


def test_bytes_are_sent_and_their_title_and_detail_where_there_is_a_place() -> None:
    part = MediaPart("image", "image/png", "QQ==", title="a", detail="high", cache=CacheHint())
    assert written(part, FULL) == (
        {
            "inlineData": {"mimeType": "image/png", "data": "QQ==", "displayName": "a"},
            "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"},
        },
        ["dropped:p.cache_control"],
    )
    assert written(part)[1] == ["dropped:p.cache_control", "dropped:p.title", "dropped:p.detail"]
    assert written(MediaPart("image", data="QQ==", detail="auto"), FULL)[1] == ["dropped:p.detail"]


def test_keys_of_the_medium_go_back_into_it() -> None:
    part = MediaPart(
        "video", file_id="files/1", extras={"gemini_generate": {"videoMetadata": {"fps": 2}, "fileData.x": 1}}
    )
    assert written(part) == ({"fileData": {"fileUri": "files/1", "x": 1}, "videoMetadata": {"fps": 2}}, [])


@pytest.mark.parametrize("url", ["https://youtu.be/1", "https://generativelanguage.googleapis.com/v1beta/files/1"])
def test_google_reads_its_own_addresses(url: str) -> None:
    assert written(MediaPart("video", url=url))[0] == {"fileData": {"fileUri": url}}


def test_other_addresses_only_where_they_are_fetched() -> None:
    part = MediaPart("image", url="https://example.test/a.png")
    assert written(part, FULL) == ({"fileData": {"fileUri": "https://example.test/a.png"}}, [])
    with pytest.raises(FailureError, match="p: this model takes no image by address"):
        written(part)


def test_a_file_of_another_provider_cannot_be_shown() -> None:
    with pytest.raises(FailureError, match="p: a file id is known only"):
        written(MediaPart("document", file_id="file-abc"))


def test_a_text_document_is_text() -> None:
    part = MediaPart(
        "document",
        "text/plain",
        text="body",
        title="Title",
        detail="low",
        extras={"anthropic_messages": {"context": 1}},
    )
    assert written(part) == ({"text": "Title\n\nbody"}, ["approximated:p", "dropped:p.detail", "dropped:p.context"])
    assert written(MediaPart("document", text="body"))[0] == {"text": "body"}
