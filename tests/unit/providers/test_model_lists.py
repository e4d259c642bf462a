"""The lists that providers give of their models, in the shapes they have."""

import json
from typing import Any

import pytest

from anykey.providers.model_lists import MODELS_MAX, read_models
from anykey.providers.models import ModelFacts, ModelPrices


def read(data: Any) -> list[ModelFacts]:
    return list(read_models(json.dumps(data).encode(), "v", "2026-11-20"))


def names(data: Any) -> list[str]:
    return [facts.model for facts in read(data)]


def test_openai() -> None:
    data = {"object": "list", "data": [{"id": "gpt-9", "object": "model", "created": 1, "owned_by": "o"}, {"id": "b"}]}
    assert names(data) == ["gpt-9", "b"]
    assert read(data)[0].context_tokens is None


def test_anthropic() -> None:
    row = {
        "type": "model",
        "id": "claude-x",
        "display_name": "X",
        "lifecycle": "active",
        "max_input_tokens": 200000,
        "max_tokens": 64000,
        "capabilities": {"batch": {"supported": True}},
    }
    (found,) = read({"data": [row, {**row, "id": "old", "lifecycle": "retired"}], "has_more": False})
    assert (found.model, found.context_tokens, found.max_output_tokens) == ("claude-x", 200_000, 64_000)


def test_gemini() -> None:
    row = {
        "name": "models/gemini-x",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }
    embedding = {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]}
    (found,) = read({"models": [row, embedding], "nextPageToken": ""})
    assert (found.model, found.context_tokens, found.max_output_tokens) == ("gemini-x", 1_048_576, 65_536)
    assert found.abilities == ("reasoning",)


def test_ark() -> None:
    limits = {"context_window": 262144, "max_output_token_length": 32768}
    data = {
        "data": [
            {"id": "seed-1", "domain": "LLM", "status": "Active", "token_limits": limits},
            {"id": "seed-2", "domain": "VLM", "token_limits": None},
            {"id": "seed-0", "domain": "LLM", "status": "Shutdown"},
            {"id": "seedream", "domain": "ImageGeneration"},
            {"id": "seedance", "domain": "VideoGeneration"},
        ]
    }
    first, second = read(data)
    assert (first.model, first.context_tokens, first.max_output_tokens) == ("seed-1", 262_144, 32_768)
    assert (second.model, second.abilities) == ("seed-2", ("vision",))


def test_bedrock() -> None:
    row = {
        "modelId": "amazon.nova-x-v1:0",
        "outputModalities": ["TEXT"],
        "inputModalities": ["TEXT", "IMAGE"],
        "modelLifecycle": {"status": "ACTIVE"},
    }
    legacy = {**row, "modelId": "old", "modelLifecycle": {"status": "LEGACY"}}
    (found,) = read({"modelSummaries": [row, legacy, {**row, "modelId": "canvas", "outputModalities": ["IMAGE"]}]})
    assert (found.model, found.abilities) == ("amazon.nova-x-v1:0", ("vision",))


def test_ollama_and_a_bare_list() -> None:
    assert names({"models": [{"name": "llama3:8b", "model": "llama3:8b", "details": {}}]}) == ["llama3:8b"]
    assert names([{"id": "a"}, {"id": "b"}]) == ["a", "b"]


def test_openrouter_tells_its_own_prices() -> None:
    row = {
        "id": "vendor/m",
        "context_length": 131072,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
        "supported_parameters": ["tools", "reasoning", "temperature"],
        "pricing": {"prompt": "0.0000006", "completion": "0.0000022", "input_cache_read": "0.00000011", "image": "0"},
    }
    depends = {**row, "id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    found, auto = read({"data": [row, depends]})
    assert found.prices == ModelPrices(
        input=600_000, output=2_200_000, cache_read=110_000, source="the provider's list"
    )
    assert found.abilities == ("tools", "vision", "reasoning")
    assert auto.prices is None


def test_rows_that_are_none_are_left_out_and_each_model_is_told_once() -> None:
    rows: list[Any] = [{"id": "a"}, {"id": "a"}, {"id": 7}, {}, "b", None, {"id": "x" * 300}, {"id": "bad\nname"}]
    assert names({"data": rows}) == ["a"]
    assert len(names({"data": [{"id": str(n)} for n in range(MODELS_MAX + 5)]})) == MODELS_MAX
    assert read({"data": [{"id": "a", "context_length": "big", "max_tokens": -1, "token_limits": 3}]})[0] == ModelFacts(
        "v", "a", source="the provider's list", observed_on="2026-11-20"
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": 3}', b"7", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="it is no"):
        read_models(body, "v", "2026-11-20")
