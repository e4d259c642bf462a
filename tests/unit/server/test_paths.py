"""However a client joined base URL and path, the operation is found and the canonical path named."""

import pytest

from anykey.server.paths import Route, resolve


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/chat/completions", "chat"),
        ("/v1/messages", "messages"),
        ("/v1/messages/count_tokens", "count_tokens"),
        ("/v1/responses", "responses"),
        ("/v1/responses/input_tokens", "input_tokens"),
        ("/v1/responses/compact", "compact"),
        ("/v1/conversations", "conversations"),
        ("/v1/models", "models"),
        ("/v1beta/models", "models"),
        ("/", "root"),
        ("/api/hello", "hello"),
        ("/livez", "livez"),
        ("/readyz", "readyz"),
    ],
)
def test_canonical_paths_need_no_hint(path: str, operation: str) -> None:
    assert resolve(path).operation == operation
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
        ("/responses", "/v1/responses"),
        ("/v1/v1/responses", "/v1/responses"),
        ("/openai/v1/responses/compact", "/v1/responses/compact"),
        ("/api/v1/conversations/", "/v1/conversations"),
        ("/gemini/v1beta/models", "/v1beta/models"),
        ("/v1beta/v1/models", "/v1beta/models"),
        ("/v1alpha/models", "/v1beta/models"),
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
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-3-pro:generateContent", "gemini-3-pro", False),
        ("/v1/models/gemini-3-pro:streamGenerateContent", "gemini-3-pro", True),
        ("/v1/models/openai/gpt-5.4:generateContent", "openai/gpt-5.4", False),
        ("/v1beta/models/llama3:8b:generateContent", "llama3:8b", False),
        ("/v1beta/tunedModels/mine:generateContent", "mine", False),
    ],
)
def test_the_last_colon_parts_model_and_verb(path: str, model: str, stream: bool) -> None:
    assert resolve(path) == Route("gemini", ("POST",), model=model, stream=stream, google=True)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/models/x:streamGenerateContent", "/v1/models/x:streamGenerateContent"),
        ("/v1beta/v1/models/x:generateContent", "/v1beta/models/x:generateContent"),
        ("/v1alpha/models/x:generateContent", "/v1beta/models/x:generateContent"),
        ("/gemini/v1beta/models/x:generateContent", "/v1beta/models/x:generateContent"),
        ("/gemini/models/models/x:generateContent", "/v1beta/models/models/x:generateContent"),
    ],
)
def test_googles_calls_answer_wherever_they_are_joined(path: str, canonical: str) -> None:
    route = resolve(path)
    assert (route.operation, route.model, route.canonical) == ("gemini", "x", canonical)


@pytest.mark.parametrize(
    ("verb", "operation"),
    [("countTokens", "gemini_count"), ("embedContent", "gemini_unserved"), ("predictLongRunning", "gemini_unserved")],
)
def test_the_other_verbs(verb: str, operation: str) -> None:
    route = resolve(f"/v1beta/models/a/b:{verb}")
    assert (route.operation, route.model, route.stream, route.methods) == (operation, "a/b", None, ("POST",))


@pytest.mark.parametrize(
    "path", ["/v1beta/models/x:sing", "/v1beta/models/llama3:8b", "/v1beta/models/:generateContent"]
)
def test_what_is_no_verb_belongs_to_the_name(path: str) -> None:
    assert resolve(path) == Route("model", model=path.removeprefix("/v1beta/models/"), google=True)


@pytest.mark.parametrize(
    ("path", "operation", "ids", "methods"),
    [
        ("/v1/responses/resp_1", "response", ("resp_1",), ("GET", "DELETE")),
        ("/v1/responses/resp_1/cancel", "response_cancel", ("resp_1",), ("POST",)),
        ("/v1/responses/resp_1/input_items", "response_items", ("resp_1",), ("GET",)),
        ("/v1/conversations/conv_1", "conversation", ("conv_1",), ("GET", "POST", "DELETE")),
        ("/v1/conversations/conv_1/items", "conversation_items", ("conv_1",), ("GET", "POST")),
        ("/v1/conversations/conv_1/items/msg_2", "conversation_item", ("conv_1", "msg_2"), ("GET", "DELETE")),
    ],
)
def test_what_is_kept_has_an_id(path: str, operation: str, ids: tuple[str, ...], methods: tuple[str, ...]) -> None:
    assert resolve(path) == Route(operation, methods, ids=ids)  # pyright: ignore[reportArgumentType]
    assert resolve(path.removeprefix("/v1")).canonical == path


@pytest.mark.parametrize(
    "path",
    [
        "/v2/messages",
        "/v1",
        "/v1/",
        "/v1/embeddings",
        "/v1messages",
        "/x/v1/messages",
        "/v1/livez",
        "/v1/responses/a/b",
    ],
)
def test_anything_else_is_unknown(path: str) -> None:
    assert resolve(path).operation == "unknown"


def test_the_admin_api_is_asked_as_it_is_spelled_and_the_user_api_however_it_was_joined() -> None:
    assert resolve("/admin/v1/keys") == Route("admin")
    assert resolve("/v1/admin/v1/keys").operation == resolve("/admin/keys").operation == "unknown"
    for path in ("/v1/usage", "/v1/balance", "/v1/key", "/v1/organization/costs", "/v1/usage/req_1"):
        assert resolve(path).operation == "account"
        assert resolve(path).canonical is None
        assert resolve(f"/openai{path}/").canonical == path
