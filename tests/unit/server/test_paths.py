"""However a client joined base URL and path, the operation is found and the canonical path named."""

import pytest

from anykey.server.paths import Route, resolve


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/chat/completions", "chat"),
        ("/v1/messages", "messages"),
        ("/v1/messages/count_tokens", "count_tokens"),
        ("/v1/models", "models"),
        ("/", "root"),
        ("/api/hello", "hello"),
        ("/livez", "livez"),
        ("/readyz", "readyz"),
    ],
)
def test_canonical_paths_need_no_hint(path: str, operation: str) -> None:
    assert resolve(path) == Route(operation, resolve(path).method)  # pyright: ignore[reportArgumentType]
    assert resolve(path).canonical is None


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/chat/completions", "/v1/chat/completions"),
        ("/api/v1/chat/completions", "/v1/chat/completions"),
        ("//v1//chat/completions/", "/v1/chat/completions"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/messages", "/v1/messages"),
        ("/v1/v1/messages", "/v1/messages"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/anthropic/v1/messages/count_tokens", "/v1/messages/count_tokens"),
        ("/v1beta/v1/messages", "/v1/messages"),
        ("/models", "/v1/models"),
        ("/anthropic/v1/models", "/v1/models"),
        ("/livez/", "/livez"),
    ],
)
def test_other_joins_answer_and_name_the_canonical_path(path: str, canonical: str) -> None:
    route = resolve(path)
    assert route.canonical == canonical
    assert route.operation == resolve(canonical).operation


@pytest.mark.parametrize(
    ("path", "model", "canonical"),
    [
        ("/v1/models/gpt-5.4", "gpt-5.4", None),
        ("/v1/models/lab/gpt-5.4", "lab/gpt-5.4", None),
        ("/models/a/b", "a/b", "/v1/models/a/b"),
        ("/v1/v1/models/a", "a", "/v1/models/a"),
    ],
)
def test_a_model_keeps_its_slashes(path: str, model: str, canonical: str | None) -> None:
    assert resolve(path) == Route("model", model=model, canonical=canonical)


@pytest.mark.parametrize(
    "path", ["/v2/messages", "/v1", "/v1/", "/v1/embeddings", "/v1messages", "/x/v1/messages", "/v1/livez"]
)
def test_anything_else_is_unknown(path: str) -> None:
    assert resolve(path).operation == "unknown"
