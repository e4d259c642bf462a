"""Images, PDF files and structured output, as the official SDKs send them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.fakes.answers import CHAT, PROTOCOLS
from tests.sdk.lab import running
from tests.sdk.said import telling, text

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and the rest").decode()
PDF = base64.b64encode(b"%PDF-1.7 and the rest").decode()
LINK = "https://example.com/cat.png"
UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)


class Weather(BaseModel):
    """What the model must answer."""

    city: str
    degrees: int


def check_media(blocks: list[Any], upstream: str) -> None:
    """Text, an image by bytes, an image by address, a PDF: in this order and in the upstream's own form."""
    said, image, linked, pdf = blocks
    assert (said["type"], said["text"]) == ("text", "What is this?")
    if upstream == CHAT:
        assert image["image_url"]["url"] == f"data:image/png;base64,{PNG}"
        assert linked["image_url"]["url"] == LINK
        assert (pdf["type"], pdf["file"]["file_data"]) == ("file", f"data:application/pdf;base64,{PDF}")
        assert pdf["file"]["filename"] == "report.pdf"
    else:
        assert image["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}
        assert linked["source"] == {"type": "url", "url": LINK}
        assert pdf["source"] == {"type": "base64", "media_type": "application/pdf", "data": PDF}
        assert (pdf["type"], pdf["title"]) == ("document", "report.pdf")


@UPSTREAMS
async def test_openai_images_and_pdf(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, "A cat."))) as lab:
        answer = await lab.openai.chat.completions.create(
            model="test-model",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "image_url", "image_url": {"url": LINK}},
                        {
                            "type": "file",
                            "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
                        },
                    ],
                }
            ],
        )
        assert answer.choices[0].message.content == "A cat."
        check_media(lab.asked["messages"][0]["content"], upstream)


@UPSTREAMS
async def test_anthropic_images_and_pdf(tmp_path: Path, upstream: str) -> None:
    async with running(tmp_path, upstream, telling(text(upstream, "A cat."))) as lab:
        answer = await lab.anthropic.messages.create(
            model="test-model",
            max_tokens=64,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                        {"type": "image", "source": {"type": "url", "url": LINK}},
                        {
                            "type": "document",
                            "title": "report.pdf",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                        },
                    ],
                }
            ],
        )
        assert [block.text for block in answer.content if block.type == "text"] == ["A cat."]
        check_media(lab.asked["messages"][0]["content"], upstream)


def asked_schema(asked: Any, upstream: str) -> Any:
    """The JSON Schema that the upstream was given."""
    if upstream == CHAT:
        assert asked["response_format"]["type"] == "json_schema"
        return asked["response_format"]["json_schema"]["schema"]
    assert asked["output_config"]["format"]["type"] == "json_schema"
    return asked["output_config"]["format"]["schema"]


@UPSTREAMS
async def test_openai_structured_output(tmp_path: Path, upstream: str) -> None:
    said = json.dumps({"city": "Paris", "degrees": 21})
    async with running(tmp_path, upstream, telling(text(upstream, said))) as lab:
        answer = await lab.openai.chat.completions.parse(
            model="test-model", messages=[{"role": "user", "content": "Weather?"}], response_format=Weather
        )
        assert answer.choices[0].message.parsed == Weather(city="Paris", degrees=21)
        schema = asked_schema(lab.asked, upstream)
        assert (set(schema["properties"]), schema["additionalProperties"]) == ({"city", "degrees"}, False)
        async with lab.openai.chat.completions.stream(
            model="test-model", messages=[{"role": "user", "content": "Weather?"}], response_format=Weather
        ) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.parsed == Weather(city="Paris", degrees=21)


@UPSTREAMS
async def test_anthropic_structured_output(tmp_path: Path, upstream: str) -> None:
    said = json.dumps({"city": "Paris", "degrees": 21})
    async with running(tmp_path, upstream, telling(text(upstream, said))) as lab:
        answer = await lab.anthropic.messages.parse(
            model="test-model",
            max_tokens=64,
            messages=[{"role": "user", "content": "Weather?"}],
            output_format=Weather,
        )
        assert answer.parsed_output == Weather(city="Paris", degrees=21)
        schema = asked_schema(lab.asked, upstream)
        assert (set(schema["properties"]), schema["additionalProperties"]) == ({"city", "degrees"}, False)
        async with lab.anthropic.messages.stream(
            model="test-model",
            max_tokens=64,
            messages=[{"role": "user", "content": "Weather?"}],
            output_format=Weather,
        ) as stream:
            final = await stream.get_final_message()
        assert final.parsed_output == Weather(city="Paris", degrees=21)
