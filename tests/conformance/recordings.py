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


@cache
def all_captured() -> tuple[dict[str, Any], ...]:
    """Every exchange, file by file. What a capture left out because an exchange before it has the same, by its size in bytes, is
    put back; a body of which something is still missing is left out."""
    return tuple(row for file in _captures() for row in _restored(_lines(file)))


def _restored(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    known: dict[tuple[str, int], Any] = {}  # by key and size
    for row in rows:
        body: Any = row["request"].get("body")
        if not isinstance(body, dict):
            yield row
            continue
        fields: dict[str, Any] = body  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        whole: dict[str, Any] = {}
        for key, value in fields.items():
            whole[key] = known.get((key, int(value["_elided"].split()[0]))) if _is_cut(value) else value
            if isinstance(value, dict | list | str) and not _is_cut(value):
                kept: Any = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
                known.update(dict.fromkeys([(key, size) for size in _sizes(kept)], kept))
        if all(value is not None or fields[key] is None for key, value in whole.items()):
            yield {**row, "request": {**row["request"], "body": whole}}


def _is_cut(value: Any) -> bool:
    return isinstance(value, dict) and "_elided" in value


def _sizes(value: Any) -> set[int]:
    """How long the value may have been, as the programs write JSON."""
    texts = [json.dumps(value, separators=marks, ensure_ascii=False) for marks in ((",", ":"), (", ", ": "))]
    texts.append(json.dumps(value, separators=(",", ":")))
    return {size for text in texts for size in (len(text), len(text.encode()))}


def captured(path_suffix: str) -> list[dict[str, Any]]:
    """What real client programs sent by POST to a path with this end (`/messages`), as JSON; none without captures."""
    return [
        row
        for row in all_captured()
        if row.get("request", {}).get("method") == "POST"
        and str(row["request"].get("path", "")).endswith(path_suffix)
        and isinstance(row["request"].get("body"), dict)
    ]
