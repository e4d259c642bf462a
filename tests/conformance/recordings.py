"""Reads the recorded traffic that is given beside the checkout; see `tests/conftest.py` for where it lies."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import corpus_directory, has_corpus


@cache
def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def exchanges(protocol: str) -> list[dict[str, Any]]:
    """The exchanges of one protocol (`openai_chat`, `anthropic_messages` …); none where there is no corpus."""
    if not has_corpus():
        return []
    return [row for row in _lines(corpus_directory() / "recorded.jsonl.gz") if row["protocol"] == protocol]


def _captures() -> Iterator[Path]:
    folder = corpus_directory().parent / "captures"
    return iter(sorted(folder.glob("*.jsonl.gz"))) if folder.is_dir() else iter(())


def captured(path_suffix: str) -> list[dict[str, Any]]:
    """What real client programs sent by POST to a path with this end (`/messages`), as JSON; none without captures."""
    return [
        row
        for file in _captures()
        for row in _lines(file)
        if row.get("request", {}).get("method") == "POST"
        and str(row["request"].get("path", "")).endswith(path_suffix)
        and isinstance(row["request"].get("body"), dict)
    ]
