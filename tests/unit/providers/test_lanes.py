"""The lanes of one vendor stay apart: by address and by credential."""

from urllib.parse import urlsplit

import pytest

from anykey.providers.configured import ProviderSettings, StoredCredential
from anykey.providers.lanes import allows, kind_for, owners_of, shared_credentials
from anykey.providers.load import catalogue
from anykey.providers.records import LaneRule, ProviderKind
from anykey.providers.secret import Secret

ARK = "https://ark.ap-southeast.bytepluses.com"
VOLC = "https://ark.cn-beijing.volces.com"
WITH_RULE = [kind for kind in catalogue().values() if kind.lane_rule is not None]


def _rule(kind: str) -> LaneRule:
    rule = catalogue()[kind].lane_rule
    assert rule is not None
    return rule


def test_the_lanes_of_ark_have_rules() -> None:
    assert {kind.id for kind in WITH_RULE} == {
        "byteplus",
        "byteplus_coding",
        "volcengine",
        "volcengine_coding",
        "volcengine_agent",
    }


@pytest.mark.parametrize("kind", WITH_RULE, ids=lambda kind: kind.id)
def test_a_kind_is_allowed_at_its_own_doors_and_not_at_those_of_other_lanes(kind: ProviderKind) -> None:
    rule = _rule(kind.id)
    assert all(allows(rule, door.base_url) for door in kind.endpoints)
    assert all((urlsplit(door.base_url).hostname or "").endswith(rule.hosts) for door in kind.endpoints)
    assert rule.advice.keys() == {"en", "zh-CN"}
    others = [
        other for other in WITH_RULE if other.lane_rule and other.lane_rule.vendor == rule.vendor and other != kind
    ]
    assert others
    for door in (door for other in others for door in other.endpoints):
        assert not allows(rule, door.base_url), door.base_url


@pytest.mark.parametrize(
    ("kind", "url", "allowed"),
    [
        ("byteplus_coding", ARK + "/api/v3", False),
        ("byteplus_coding", ARK + "/api/v3/", False),
        ("byteplus_coding", ARK, False),
        ("byteplus_coding", ARK + "/api/codingly", False),
        ("byteplus_coding", ARK + "/api/coding", True),
        ("byteplus", ARK + "/api/coding/v3", False),
        ("byteplus", ARK + "/api/v3/bots", True),
        ("volcengine", VOLC + "/api/plan", False),
        ("volcengine_agent", VOLC + "/api/v3", False),
        ("byteplus_coding", "http://127.0.0.1:9", True),
        ("byteplus_coding", "https://proxy.example/ark", True),
        ("byteplus_coding", "https://proxy.example/ark/api/v3", False),
        ("byteplus", "https://notbytepluses.com/x", True),
    ],
)
def test_addresses(kind: str, url: str, allowed: bool) -> None:
    assert allows(_rule(kind), url) is allowed


@pytest.mark.parametrize(
    ("kind", "url", "owner"),
    [
        ("byteplus_coding", ARK + "/api/v3", "byteplus"),
        ("byteplus", ARK + "/api/coding/v3", "byteplus_coding"),
        ("volcengine", VOLC + "/api/plan/v3", "volcengine_agent"),
        ("volcengine_agent", VOLC + "/api/coding", "volcengine_coding"),
    ],
)
def test_the_lane_an_address_belongs_to(kind: str, url: str, owner: str) -> None:
    found = kind_for(_rule(kind), url)
    assert found is not None
    assert found.id == owner


def test_owners_of_an_address() -> None:
    assert owners_of(ARK + "/api/v3/") == ("byteplus",)
    assert set(owners_of("https://api.minimaxi.com/v1")) == {"minimax", "minimax_coding"}
    assert owners_of("http://127.0.0.1:8080/v1") == (), "who serves there is the operator's to say"
    assert owners_of("https://nobody.example") == ()


def _provider(kind: str, key: str | None = None, *stored: str) -> ProviderSettings:
    found = catalogue()[kind]
    credentials = tuple(StoredCredential(f"{kind}#{text}", Secret(text)) for text in stored)
    return ProviderSettings(kind, found, found.endpoints, Secret(key) if key else None, credentials=credentials)


@pytest.mark.parametrize(
    ("providers", "shared"),
    [
        ([_provider("byteplus", "k"), _provider("byteplus_coding", "k")], [("byteplus", "byteplus_coding")]),
        ([_provider("byteplus", "k"), _provider("byteplus_coding", "other", "k")], [("byteplus", "byteplus_coding")]),
        ([_provider("byteplus", "k"), _provider("byteplus_coding", "c")], []),
        ([_provider("byteplus", "k"), _provider("volcengine_coding", "k")], []),
        ([_provider("byteplus", "k"), _provider("byteplus", "k")], []),
        ([_provider("openai", "k"), _provider("byteplus", "k")], []),
        ([_provider("byteplus"), _provider("byteplus_coding")], []),
    ],
)
def test_shared_credentials(providers: list[ProviderSettings], shared: list[tuple[str, str]]) -> None:
    found = [(pair.first.name, pair.second.name) for pair in shared_credentials(providers)]
    assert found == shared
