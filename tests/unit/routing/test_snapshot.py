"""What is computed once: URLs, headers, dialects, the list of models."""

import pytest

from anykey.protocols.catalog import CODECS
from anykey.providers.models import ModelCatalogue, ModelFacts, ModelPrices, ProviderModel
from anykey.providers.records import EndpointRow
from anykey.routing.building import build_snapshot
from anykey.routing.listing import list_models
from anykey.routing.snapshot import Endpoint, Snapshot, deployment_of, facts_of, request_url
from tests.unit.routing.configuring import Given, provider, snapshot


def _endpoint(known: Snapshot, name: str, protocol: str) -> Endpoint:
    return {str(key): value for key, value in known.by_name[name].endpoints.items()}[protocol]


def test_a_bearer_door() -> None:
    door = _endpoint(snapshot(provider("byteplus_coding")), "byteplus_coding", "openai_chat")
    assert door.url == "https://ark.ap-southeast.bytepluses.com/api/coding/v3/chat/completions"
    assert door.models_url == "https://ark.ap-southeast.bytepluses.com/api/coding/v3/models"
    assert door.auth_headers == ((b"authorization", b"Bearer k-1"),)
    assert not door.counts_tokens


def test_an_anthropic_door() -> None:
    door = _endpoint(snapshot(provider("anthropic")), "anthropic", "anthropic_messages")
    assert door.url == "https://api.anthropic.com/v1/messages"
    assert door.counts_tokens
    assert door.auth_headers == ((b"x-api-key", b"k-1"),)


def test_the_operators_choice_of_scheme_wins() -> None:
    known = snapshot(provider("anthropic", auth="bearer"))
    assert _endpoint(known, "anthropic", "anthropic_messages").auth_headers == ((b"authorization", b"Bearer k-1"),)


def test_without_a_credential_there_is_no_header() -> None:
    known = snapshot(provider("ollama", credential=None))
    assert _endpoint(known, "ollama", "openai_chat").auth_headers == ()


def test_headers_of_row_and_operator() -> None:
    row = EndpointRow("openai_chat", "https://x.example/v1", headers={"x-a": "row", "x-b": "row"})
    known = snapshot(provider("openai", endpoints=(row,), headers=(("x-b", "ours"),)))
    assert _endpoint(known, "openai", "openai_chat").headers == ((b"x-a", b"row"), (b"x-b", b"ours"))


def test_protocols_without_a_codec_are_not_routed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.routing.building.SERVED_PROTOCOLS", ("openai_chat",))
    assert list(snapshot(provider("openai")).by_name["openai"].endpoints) == ["openai_chat"]


def test_nothing_shows_the_credential() -> None:
    assert "k-1" not in repr(snapshot(provider("openai"), provider("anthropic")))


def test_a_deployments_dialect_is_the_kinds_then_the_models_then_the_operators() -> None:
    overrides = {"openai_chat": {"metadata": False, "cache_breakpoints": False}}
    known = snapshot(provider("openai"), provider("openai", "tuned", dialect=overrides))
    plain = deployment_of(known.by_name["openai"], "gpt-5.6-sol")
    tuned = deployment_of(known.by_name["tuned"], "gpt-5.6-sol")
    assert (plain.id, plain.provider, plain.model) == ("openai/gpt-5.6-sol", "openai", "gpt-5.6-sol")
    assert plain.endpoints["openai_chat"].dialect["cache_breakpoints"] is True
    assert plain.endpoints["openai_chat"].dialect["metadata"] is True
    assert tuned.endpoints["openai_chat"].dialect["cache_breakpoints"] is False
    assert tuned.endpoints["openai_chat"].dialect["metadata"] is False
    assert tuned.endpoints["openai_chat"].dialect["service_tier"] is True
    assert "cache_breakpoints" not in known.by_name["openai"].endpoints["openai_chat"].dialect


def test_the_list_of_models() -> None:
    known = snapshot(
        provider("anthropic", models=("a", "b")), provider("demo"), big=("anthropic/a",), demo=("demo/demo",)
    )
    assert [(entry.id, entry.provider, entry.owned_by) for entry in list_models(known)] == [
        ("big", "anthropic", "anthropic"),
        ("demo", "demo", "demo"),
        ("anthropic/a", "anthropic", "anthropic"),
        ("anthropic/b", "anthropic", "anthropic"),
        ("demo/demo", "demo", "demo"),
    ]
    assert list_models(known)[0].protocols == ("anthropic_messages",)
    assert list_models(known)[1].protocols == tuple(CODECS)


def test_the_catalogues_models_are_listed_where_none_are_pinned() -> None:
    ids = [entry.id for entry in list_models(snapshot(provider("openai", "work")))]
    assert "work/gpt-5.4" in ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://x/v1", "/chat/completions", "https://x/v1/chat/completions"),
        ("https://x/v1/", "/chat/completions", "https://x/v1/chat/completions"),
        ("https://x", "/v1/messages", "https://x/v1/messages"),
        ("https://x/v1", "/v1/messages", "https://x/v1/messages"),
        ("https://x/api/v1/messages", "/v1/messages", "https://x/api/v1/messages"),
        ("https://x/v1/chat/completions", "/chat/completions", "https://x/v1/chat/completions"),
        ("https://x/chat", "/chat/completions", "https://x/chat/chat/completions"),
    ],
)
def test_request_url(base: str, path: str, url: str) -> None:
    assert request_url(base, path) == url


def test_a_snapshot_starts_without_plans_of_another() -> None:
    assert snapshot(provider("openai")).plans is not snapshot(provider("openai")).plans


def _facts(model: str, context: int | None = None, prices: ModelPrices | None = None) -> ModelFacts:
    return ModelFacts("v", model, context, prices=prices)


def test_what_a_provider_lists_itself_takes_the_place_of_the_catalogues_few() -> None:
    few = provider("openai").kind.models
    seen = (ProviderModel("new", facts=_facts("new")), ProviderModel(few[1], facts=_facts(few[1])))
    known = build_snapshot(Given((provider("openai"),)), None, {"openai": seen, "gone": seen})
    assert [entry.id for entry in list_models(known)] == [f"openai/{few[1]}", "openai/new"]
    assert [at.name for at in known.listed["new"]] == ["openai"]
    assert not known.pinned


def test_pins_are_the_whole_list_the_files_first() -> None:
    stored = (ProviderModel("b", pinned=True), ProviderModel("c", facts=_facts("c")))
    known = build_snapshot(Given((provider("openai", models=("a",)),)), None, {"openai": stored})
    assert [entry.id for entry in list_models(known)] == ["openai/a", "openai/b"]
    assert set(known.pinned) == {"a", "b"}


def test_only_what_is_allowed_is_listed() -> None:
    known = snapshot(provider("anthropic", models=("a", "b")), big=("anthropic/a",))
    assert [entry.id for entry in list_models(known, lambda name: name in {"big", "anthropic/b"})] == [
        "big",
        "anthropic/b",
    ]


def test_a_providers_own_list_knows_better_than_the_catalogue() -> None:
    shelf = {"m": _facts("m", 100, ModelPrices(input=1))}
    catalogue = ModelCatalogue(lambda _: shelf, lambda kind: (kind, False))
    seen = {"openai": (ProviderModel("m", facts=_facts("m", 200)), ProviderModel("n", facts=_facts("n", 5)))}
    known = build_snapshot(Given((provider("openai"),)), catalogue, seen)
    at = known.by_name["openai"]
    both, own = facts_of(known, at, "m"), facts_of(known, at, "n")
    assert both is not None
    assert (both.context_tokens, both.prices) == (200, ModelPrices(input=1))
    assert own == _facts("n", 5)
    assert facts_of(known, at, "unheard-of") is None


def test_a_public_name_is_listed_with_the_facts_of_its_first_deployment() -> None:
    (first, *_) = list_models(snapshot(provider("openai"), big=("openai/gpt-5.4", "openai/gpt-4o")))
    assert first.facts is not None
    assert (first.id, first.facts.model) == ("big", "gpt-5.4")
