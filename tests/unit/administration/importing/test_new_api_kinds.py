"""A type and an address as a provider's table."""

from typing import Any

import pytest

from anykey.administration.importing.new_api_kinds import HOMES, KINDS, PLANS, Family, key_text, provider_of, region_in
from anykey.providers.load import find


@pytest.mark.parametrize("family", ["new-api", "one-api"])
def test_every_kind_is_in_the_catalogue_and_every_type_has_a_table(family: Family) -> None:
    for number, kind in KINDS[family].items():
        assert find(kind) is not None, (number, kind)
        base = {"azure": "https://r.openai.azure.com"}.get(kind, "")
        if kind != "custom":
            assert provider_of(family, number, base, "") is not None, (number, kind)
    for number in HOMES[family]:
        assert provider_of(family, number, "", "") is not None, number
    assert all(find(kind) is not None for kind in PLANS.values())


def custom(url: str, protocol: str = "openai_chat") -> dict[str, Any]:
    return {"kind": "custom", "protocol": protocol, "base_url": url}


@pytest.mark.parametrize(
    ("family", "number", "base", "other", "table"),
    [
        ("new-api", 1, "", "", {"kind": "openai"}),
        ("new-api", 1, "https://api.openai.com/", "", {"kind": "openai"}),
        ("new-api", 1, "https://relay.example", "", custom("https://relay.example/v1")),
        ("new-api", 1, "https://relay.example/v1", "", custom("https://relay.example/v1")),
        ("new-api", 8, "https://x.example/a/chat/completions", "", custom("https://x.example/a")),
        ("new-api", 8, "https://x.example/{model}/run", "", None),
        ("one-api", 8, "https://x.example", "", custom("https://x.example/v1")),
        ("new-api", 14, "https://relay.example", "", custom("https://relay.example", "anthropic_messages")),
        ("new-api", 24, "https://relay.example", "", custom("https://relay.example", "gemini_generate")),
        ("new-api", 45, "https://ark.example", "", custom("https://ark.example/api/v3")),
        ("new-api", 43, "", "", {"kind": "deepseek"}),
        ("one-api", 43, "", "", None),
        ("one-api", 36, "", "", {"kind": "deepseek"}),
        ("one-api", 26, "", "", custom("https://api.baichuan-ai.com/v1")),
        ("new-api", 26, "glm-coding-plan", "", {"kind": "zhipu_coding"}),
        ("new-api", 3, "https://me.openai.azure.com", "2026-01-01", {
            "kind": "azure", "variables": {"resource": "me", "api_version": "2026-01-01"}, "lane": "deployments"}),
        ("new-api", 3, "https://elsewhere.example", "", None),
        ("new-api", 41, "", "us-central1", {"kind": "vertex", "variables": {"location": "us-central1"}, "region": "regional"}),
        ("new-api", 2, "", "", None),
        ("new-api", 1, "relay.example", "", None),
    ],
)  # fmt: skip
def test_a_channel_goes_where_it_went(
    family: Family, number: int, base: str, other: str, table: dict[str, Any] | None
) -> None:
    assert provider_of(family, number, base, other) == table


def test_a_vendor_with_several_regions_is_asked_where_the_channel_asked() -> None:
    kimi = provider_of("new-api", 25, "", "")
    kind = find("kimi")
    assert kimi is not None
    assert kind is not None
    region = kimi.get("region", kind.endpoints[0].region)
    assert any(door.region == region and "api.moonshot.cn" in door.base_url for door in kind.endpoints)


def test_the_parts_of_an_aws_key() -> None:
    assert key_text("bedrock", "AK|SK|eu-west-1") == "AK:SK"
    assert region_in("AK|SK|eu-west-1") == "eu-west-1"
    assert (key_text("openai", " a|b|c "), region_in("plain")) == ("a|b|c", "")
