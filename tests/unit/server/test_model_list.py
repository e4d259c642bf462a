"""The model list in the shape of whoever asks."""

import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.providers.models import ModelFacts, ModelPrices
from anykey.routing.snapshot import ModelEntry
from anykey.server.model_list import Shape, list_body, model_body, shape_asked

ENTRIES = tuple(ModelEntry(name, "lab", "custom", ("openai_chat",)) for name in ("a", "b/c", "d"))


def listed(shape: Shape, query: bytes = b"") -> dict[str, Any]:
    return json.loads(list_body(ENTRIES, shape, query, 1_700_000_000))


@pytest.mark.parametrize(
    ("google", "headers", "query", "shape"),
    [
        (False, [], b"", "openai"),
        (False, [], b"client_version=0.169.0", "openai"),
        (False, [(b"anthropic-version", b"2026-10-21")], b"limit=20", "anthropic"),
        (False, [(b"x-goog-api-key", b"ak-1")], b"", "google"),
        (False, [(b"x-goog-api-client", b"google-genai-sdk/3.4.0")], b"", "google"),
        (False, [], b"pageSize=10", "google"),
        (True, [], b"", "google"),
    ],
)
def test_who_asks(google: bool, headers: list[tuple[bytes, bytes]], query: bytes, shape: Shape) -> None:
    assert shape_asked(google, headers, query) == shape


def test_openai_shape() -> None:
    assert listed("openai") == {
        "object": "list",
        "data": [
            {
                "id": i,
                "object": "model",
                "created": 1_700_000_000,
                "owned_by": "custom",
                "protocols": ["openai_chat"],
            }
            for i in ("a", "b/c", "d")
        ],
    }


def test_anthropic_shape() -> None:
    page = listed("anthropic")
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
    page = listed("anthropic", query)
    assert ([entry["id"] for entry in page["data"]], page["has_more"]) == (ids, more)


@pytest.mark.parametrize("limit", [b"0", b"1001", b"x", b"-1"])
def test_a_wrong_limit_is_named(limit: bytes) -> None:
    with pytest.raises(FailureError, match="limit: must be between 1 and 1000"):
        listed("anthropic", b"limit=" + limit)


def test_one_model_by_its_id() -> None:
    assert json.loads(model_body(ENTRIES, "b/c", "openai", 5))["id"] == "b/c"
    assert json.loads(model_body(ENTRIES, "b/c", "anthropic", 5))["type"] == "model"
    with pytest.raises(FailureError, match="'z' is not served here"):
        model_body(ENTRIES, "z", "openai", 5)


def test_google_shape() -> None:
    first = listed("google")["models"][0]
    assert (first["name"], first["displayName"]) == ("models/a", "a")
    assert "generateContent" in first["supportedGenerationMethods"]
    assert json.loads(model_body(ENTRIES, "b/c", "google", 5))["name"] == "models/b/c"


def test_google_paging() -> None:
    first = listed("google", b"pageSize=2")
    assert ([model["displayName"] for model in first["models"]], first["nextPageToken"]) == (["a", "b/c"], "b/c")
    assert listed("google", b"pageSize=2&pageToken=b%2Fc")["models"] == listed("google")["models"][2:]
    assert len(listed("google", b"pageSize=5000")["models"]) == 3


@pytest.mark.parametrize("query", [b"pageSize=-1", b"pageSize=x", b"pageToken=gone"])
def test_a_wrong_page_is_named(query: bytes) -> None:
    with pytest.raises(FailureError, match=query.partition(b"=")[0].decode()):
        listed("google", query)


FACTS = ModelFacts(
    "v",
    "m",
    256_000,
    128_000,
    ("tools", "reasoning"),
    ModelPrices(input=500_000, output=3_000_000, cache_read=2_800),
    released_on="2026-03-28",
)
KNOWN = (ModelEntry("m", "lab", "custom", ("openai_chat", "openai_responses"), FACTS),)


def test_openai_clients_are_told_limits_abilities_and_prices() -> None:
    assert json.loads(model_body(KNOWN, "m", "openai", 5)) == {
        "id": "m",
        "object": "model",
        "created": 1_774_656_000,
        "owned_by": "custom",
        "protocols": ["openai_chat", "openai_responses"],
        "context_window": 256_000,
        "context_length": 256_000,
        "max_output_tokens": 128_000,
        "capabilities": ["tools", "reasoning"],
        "pricing": {"prompt": "0.0000005", "completion": "0.000003", "input_cache_read": "0.0000000028"},
    }


def test_the_others_are_told_limits_by_their_own_names() -> None:
    messages = json.loads(model_body(KNOWN, "m", "anthropic", 5))
    assert (messages["max_input_tokens"], messages["max_tokens"]) == (256_000, 128_000)
    assert messages["created_at"] == "2026-03-28T00:00:00Z"
    google = json.loads(model_body(KNOWN, "m", "google", 5))
    assert (google["inputTokenLimit"], google["outputTokenLimit"], google["thinking"]) == (256_000, 128_000, True)


def test_what_is_not_known_is_not_told() -> None:
    entry = (ModelEntry("m", "lab", "custom", ("openai_chat",), ModelFacts("v", "m", released_on="2025-04")),)
    assert set(json.loads(model_body(entry, "m", "openai", 5))) == {"id", "object", "created", "owned_by", "protocols"}
    assert json.loads(model_body(entry, "m", "openai", 5))["created"] == 5
    assert "max_tokens" not in json.loads(model_body(entry, "m", "anthropic", 5))
    assert "inputTokenLimit" not in json.loads(model_body(entry, "m", "google", 5))
