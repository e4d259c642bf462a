"""Where one `litellm_params` goes: the kind of provider, its address, and how its credential is named.

Source of the words: LiteLLM's configuration reference (`model_list[].litellm_params`), read on 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from anykey.providers.load import find
from anykey.providers.records import ProviderKind
from anykey.providers.secret import Secret

KINDS = {
    "azure_ai": "custom",
    "cohere_chat": "cohere",
    "custom_openai": "custom",
    "dashscope": "qwen",
    "fireworks_ai": "fireworks",
    "github": "github_models",
    "hosted_vllm": "vllm",
    "litellm_proxy": "custom",
    "moonshot": "kimi",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "openai_like": "custom",
    "together_ai": "together",
    "vertex_ai": "vertex",
    "vertex_ai_beta": "vertex",
}
"""LiteLLM's name of a provider → our kind, where the two differ and no alias of the catalogue says it."""
BARE = (("claude-", "anthropic"), ("gemini-", "gemini"), ("deepseek-", "deepseek"), ("mistral-", "mistral"))
"""What a model without `provider/` belongs to, by how its name begins; any other is OpenAI's."""
_ENVIRONMENT = "os.environ/"
_PLAIN = re.compile(r"[^a-z0-9]+")
_MESSAGES_PATH = re.compile(r"/(?:v1/)?messages/?\Z")


class Given(NamedTuple):
    """A text, or the environment variable that holds it."""

    text: str | None = None
    variable: str | None = None

    def value(self, environ: Mapping[str, str]) -> str | None:
        """What it says here and now; None: nothing, or the variable is not set."""
        return self.text if self.variable is None else environ.get(self.variable, "").strip() or None


class Deployed(NamedTuple):
    """One entry of the list: `table` is its provider as `anykey.toml` has it; entries of one `table` and one `credential` share a
    provider. `hint` is a good name for it, `model` what the upstream calls the model."""

    table: Mapping[str, Any]
    credential: Given
    hint: str
    model: str


def given(value: object) -> Given:
    """How a value is said: `os.environ/NAME`, or itself. Nothing for what is no text."""
    if not isinstance(value, str) or not value.strip():
        return Given()
    text = value.strip()
    return Given(variable=text[len(_ENVIRONMENT) :]) if text.startswith(_ENVIRONMENT) else Given(text)


def deployed(params: Mapping[str, Any], environ: Mapping[str, str]) -> Deployed | str:
    """Where the calls of an entry go; or the name of the provider that has no counterpart here."""
    prefix, slash, rest = str(params.get("model", "")).partition("/")
    named = str(params.get("custom_llm_provider") or "")
    if not slash and not named:
        named, rest = _bare(prefix), prefix
    elif named and prefix != named:
        rest = f"{prefix}/{rest}" if slash else prefix
    named = named or prefix
    kind = find(KINDS.get(named, named)) or find(named.replace("_", "-"))
    base = given(params.get("api_base") or params.get("base_url")).value(environ)
    if kind is None and base is None:
        return named
    credential = _credential(params)
    if kind is not None and (table := _special(kind, params, base, environ)) is not None:
        return Deployed(_with_headers(table, params), credential, kind.id, rest)
    if base is None or (kind is not None and _at_home(kind, base)):
        assert kind is not None  # noqa: S101 - without a base there is a kind, see above
        return Deployed(_with_headers({"kind": kind.id}, params), credential, kind.id, rest)
    protocol = (
        "anthropic_messages" if named == "anthropic" else "gemini_generate" if named == "gemini" else "openai_chat"
    )
    own: dict[str, Any] = {"kind": "custom", "protocol": protocol, "base_url": _MESSAGES_PATH.sub("", base).rstrip("/")}
    if kind is not None and kind.id not in {"custom", "openai", "anthropic", "gemini"} and kind.endpoints[0].base_url:
        own = {"kind": kind.id, "base_url": own["base_url"]}
    return Deployed(_with_headers(own, params), credential, _host_name(base), rest)


def secret_of(credential: Given) -> Secret | None:
    """The credential itself, if the file holds it."""
    return None if credential.text is None else Secret(credential.text)


def _bare(model: str) -> str:
    return next((kind for beginning, kind in BARE if model.startswith(beginning)), "openai")


def _credential(params: Mapping[str, Any]) -> Given:
    key = given(params.get("api_key"))
    identity, secret = given(params.get("aws_access_key_id")), given(params.get("aws_secret_access_key"))
    if identity.text and secret.text:
        return Given(f"{identity.text}:{secret.text}")
    if identity.variable and secret.variable:
        return Given(variable=identity.variable)
    vertex = given(params.get("vertex_credentials"))
    return vertex if vertex != Given() else key


def _special(
    kind: ProviderKind, params: Mapping[str, Any], base: str | None, environ: Mapping[str, str]
) -> dict[str, Any] | None:
    """The table of a kind whose address is made of variables; None: it is not one of them."""
    if kind.id == "azure":
        host = urlsplit(base).hostname or "" if base is not None else ""
        if not host.endswith(".openai.azure.com"):
            return None if base is not None else {"kind": kind.id}
        variables = {"resource": host.removesuffix(".openai.azure.com")}
        version = given(params.get("api_version")).value(environ)
        return {"kind": kind.id, "variables": variables | ({"api_version": version} if version else {})} | (
            {"lane": "deployments"} if version else {}
        )
    names = {
        "bedrock": {"aws_region_name": "region"},
        "vertex": {"vertex_project": "project", "vertex_location": "location"},
    }
    if kind.id not in names:
        return None
    found = {ours: given(params.get(theirs)).value(environ) for theirs, ours in names[kind.id].items()}
    variables = {name: value for name, value in found.items() if value}
    table: dict[str, Any] = {"kind": kind.id} | ({"variables": variables} if variables else {})
    if variables.get("location") not in {None, "global"}:
        table["region"] = "regional"
    return table


def _with_headers(table: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    headers = params.get("extra_headers")
    texts = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType] - parsed data
    return {**table, **({"headers": texts} if texts else {})}


def _at_home(kind: ProviderKind, base: str) -> bool:
    """The address is one of the kind's own, with or without the path that the SDKs add."""
    here = base.rstrip("/").removesuffix("/v1")
    return any(door.base_url.rstrip("/").removesuffix("/v1") == here for door in kind.endpoints if door.base_url)


def _host_name(base: str) -> str:
    """`https://api.example.com/v1` → `example`; an address of numbers, or this machine → what is left of it."""
    host = urlsplit(base).hostname or "custom"
    labels = [label for label in host.split(".") if label not in {"api", "www"}]
    word = labels[-2] if len(labels) > 1 and not host.replace(".", "").isdigit() else labels[0]
    return _PLAIN.sub("_", word.lower()).strip("_") or "custom"
