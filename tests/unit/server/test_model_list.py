"""The model list in the shape of whoever asks."""

import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.routing.snapshot import ModelEntry
from anykey.server.model_list import list_body, model_body

ENTRIES = tuple(ModelEntry(name, "lab", "custom", ("openai_chat",)) for name in ("a", "b/c", "d"))
ANTHROPIC = [(b"anthropic-version", b"2023-06-01")]


def listed(headers: list[tuple[bytes, bytes]], query: bytes = b"") -> dict[str, Any]:
    return json.loads(list_body(ENTRIES, headers, query, 1_700_000_000))


def test_openai_shape() -> None:
    assert listed([]) == {
        "object": "list",
        "data": [
            {"id": i, "object": "model", "created": 1_700_000_000, "owned_by": "custom"} for i in ("a", "b/c", "d")
        ],
    }


def test_anthropic_shape() -> None:
    page = listed(ANTHROPIC)
    assert page["data"][0] == {"type": "model", "id": "a", "display_name": "a", "created_at": "2023-11-14T22:13:20Z"}
    assert (page["has_more"], page["first_id"], page["last_id"]) == (False, "a", "d")


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        (b"limit=2", ["a", "b/c"], True),
        (b"limit=2&after_id=b/c", ["d"], False),
        (b"before_id=d&limit=1", ["b/c"], True),
        (b"after_id=unknown", ["a", "b/c", "d"], False),
        (b"after_id=d", [], False),
    ],
)
def test_anthropic_paging(query: bytes, ids: list[str], more: bool) -> None:
    page = listed(ANTHROPIC, query)
    assert ([entry["id"] for entry in page["data"]], page["has_more"]) == (ids, more)


@pytest.mark.parametrize("limit", [b"0", b"1001", b"x", b"-1"])
def test_a_wrong_limit_is_named(limit: bytes) -> None:
    with pytest.raises(FailureError, match="limit: must be between 1 and 1000"):
        listed(ANTHROPIC, b"limit=" + limit)


def test_one_model_by_its_id() -> None:
    assert json.loads(model_body(ENTRIES, "b/c", [], 5))["id"] == "b/c"
    assert json.loads(model_body(ENTRIES, "b/c", ANTHROPIC, 5))["type"] == "model"
    with pytest.raises(FailureError, match="'z' is not served here"):
        model_body(ENTRIES, "z", [], 5)
