import base64
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import MediaPart
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.media_encoding import encode_medium
from anykey.protocols.anthropic_messages.messages_decoding import decode_block


def encode(part: MediaPart, dialect: Dialect | None = None) -> tuple[Any, list[str]]:
    log = LossLog("request")
    return encode_medium(part, "messages[0].parts[0]", dialect or Dialect(), log), [
        f"{loss.kind} {loss.path}" for loss in log.losses
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {
            "type": "image",
            "source": {"type": "url", "url": "https://x/y.png"},
            "transformations": {"oversized_image": "error"},
        },
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "t",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
            "citations": {"enabled": True},
            "context": "c",
        },
        {"type": "document", "source": {"type": "content", "content": "hi"}},
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf", "new": 1}},
    ],
)
def test_a_medium_comes_back(block: dict[str, Any]) -> None:
    part = decode_block(block)
    assert isinstance(part, MediaPart)
    assert encode(part) == (block, [])


def test_images_of_other_protocols() -> None:
    assert encode(MediaPart("image", "image/bmp", "aGk=")) == (None, ["dropped messages[0].parts[0]"])
    wire, losses = encode(MediaPart("image", "image/jpg", "aGk=", detail="high", title="t"))
    assert wire["source"]["media_type"] == "image/jpeg"
    assert losses == [
        f"{kind} messages[0].parts[0].{name}"
        for kind, name in (("dropped", "detail"), ("approximated", "media_type"), ("dropped", "title"))
    ]


def test_documents_of_other_protocols() -> None:
    data = base64.b64encode("grüß".encode()).decode()
    assert encode(MediaPart("document", "text/markdown", data))[0]["source"] == {
        "type": "text",
        "media_type": "text/plain",
        "data": "grüß",
    }
    assert encode(MediaPart("document", None, "JVBERi0="))[0]["source"]["media_type"] == "application/pdf"
    wire, losses = encode(MediaPart("document", text="hi", title="t"), Dialect(documents=False))
    assert wire == {"type": "text", "text": '<document title="t">\nhi\n</document>'}
    assert losses == ["emulated messages[0].parts[0]"]


@pytest.mark.parametrize(
    "part",
    [
        MediaPart("audio", "audio/wav", "aGk="),
        MediaPart("video", url="https://x"),
        MediaPart("image", file_id="file-of-another"),
        MediaPart("document", "application/msword", "aGk="),
        MediaPart("document", "text/plain", "/w=="),
    ],
)
def test_what_the_model_could_not_see_is_refused(part: MediaPart) -> None:
    with pytest.raises(FailureError) as caught:
        encode(part)
    assert caught.value.failure.kind == "invalid_request"
    assert caught.value.failure.param == "messages[0].parts[0]"


def test_a_pdf_is_refused_where_no_documents_are_taken() -> None:
    with pytest.raises(FailureError, match="no documents"):
        encode(MediaPart("document", None, "JVBERi0="), Dialect(documents=False))


def test_the_type_of_an_image_that_is_not_sent_itself_is_a_loss() -> None:
    wire, losses = encode(MediaPart("image", "image/png", url="https://x/y.png"))
    assert wire == {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    assert losses == ["dropped messages[0].parts[0].media_type"]
