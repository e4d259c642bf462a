import base64

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import MediaPart
from anykey.protocols.bedrock_converse.media_encoding import MediaWriter
from tests.fakes.converse_model import faults


def written(*parts: MediaPart) -> tuple[list[dict[str, object]], list[str]]:
    log = LossLog("request")
    writer = MediaWriter(log)
    blocks = [writer.write(part, f"p[{at}]") for at, part in enumerate(parts)]
    assert faults({"messages": [{"role": "user", "content": [{"text": "x"}, *blocks]}]}) == []
    return blocks, [f"{loss.kind}:{loss.path}" for loss in log.losses]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (MediaPart("image", "image/jpg", "/9j/"), {"image": {"format": "jpeg", "source": {"bytes": "/9j/"}}}),
        (MediaPart("image", None, "iVBORw0KGgo="), {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}),
        (MediaPart("audio", "audio/mpeg", "SUQz"), {"audio": {"format": "mp3", "source": {"bytes": "SUQz"}}}),
        (MediaPart("video", "video/3gpp", "AAAA"), {"video": {"format": "three_gp", "source": {"bytes": "AAAA"}}}),
        (
            MediaPart("video", "video/mp4", url="s3://bucket/film.mp4"),
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/film.mp4"}}}},
        ),
        (
            MediaPart("document", "text/x-python", "cHJpbnQ="),
            {"document": {"format": "txt", "name": "document", "source": {"bytes": "cHJpbnQ="}}},
        ),
        (
            MediaPart("document", None, text="née"),
            {
                "document": {
                    "format": "txt",
                    "name": "document",
                    "source": {"bytes": base64.b64encode("née".encode()).decode()},
                }
            },
        ),
    ],
)
def test_media(part: MediaPart, block: dict[str, object]) -> None:
    assert written(part) == ([block], [])


def test_names_are_plain_and_differ() -> None:
    pdf = [
        MediaPart("document", "application/pdf", "JVBERi0=", title=title)
        for title in ("a.b", "a b", "文", None, "x" * 300)
    ]
    blocks, losses = written(*pdf)
    names = [block["document"]["name"] for block in blocks]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType] - parsed JSON
    assert names == ["a b", "a b 2", "document", "document 2", "x" * 200]
    assert losses == [f"approximated:p[{at}].title" for at in (0, 1, 2, 4)]


def test_what_hangs_on_a_medium_is_named() -> None:
    part = MediaPart("image", "image/png", "iVBO", title="t", detail="high", extras={"openai_chat": {"x": 1}})
    assert written(part)[1] == ["dropped:p[0].detail", "dropped:p[0].x", "dropped:p[0].title"]


@pytest.mark.parametrize(
    "part",
    [
        MediaPart("image", "image/png", url="https://e.test/a.png"),
        MediaPart("image", "image/png", file_id="file_1"),
        MediaPart("image", "image/tiff", "AAAA"),
        MediaPart("image", None, "AAAA"),
        MediaPart("document", "application/zip", "AAAA"),
        MediaPart("audio", None, "AAAA"),
    ],
)
def test_what_cannot_be_shown_is_refused(part: MediaPart) -> None:
    with pytest.raises(FailureError, match=r"^p: "):
        MediaWriter(LossLog("request")).write(part, "p")
