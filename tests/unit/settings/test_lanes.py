"""A configuration that would mix up two lanes of a vendor is refused, with the way out."""

from pathlib import Path

import pytest

from anykey.settings import SettingsError, load_settings
from tests.unit.settings.reading import problems, read

ARK = "https://ark.ap-southeast.bytepluses.com"


def _table(kind: str, base_url: str) -> str:
    return f'[providers.p]\nkind = "{kind}"\nbase_url = "{base_url}"\napi_key = {{ env = "K" }}\n'


@pytest.mark.parametrize(
    ("kind", "base_url", "said"),
    [
        ("byteplus_coding", ARK + "/api/v3", ['kind = "byteplus"', "lane (coding)", ARK + "/api/coding/v3"]),
        ("byteplus", ARK + "/api/coding/v3", ['kind = "byteplus_coding"', "lane (general)", ARK + "/api/v3"]),
        ("byteplus", ARK + "/api/coding", ['kind = "byteplus_coding"']),
        ("volcengine", "https://ark.cn-beijing.volces.com/api/plan/v3", ['kind = "volcengine_agent"']),
    ],
)
def test_a_kind_at_the_address_of_another_lane(tmp_path: Path, kind: str, base_url: str, said: list[str]) -> None:
    assert problems(tmp_path, _table(kind, base_url), {"K": "k"}) == [(3, "providers.p.base_url", "wrong_lane")]
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, _table(kind, base_url), {"K": "k"})
    assert all(words in str(caught.value) for words in said)


@pytest.mark.parametrize(
    "base_url", [ARK + "/api/coding/v3", "http://127.0.0.1:9001/v1", "https://proxy.example/coding"]
)
def test_the_lanes_own_address_and_a_proxy_are_taken(tmp_path: Path, base_url: str) -> None:
    settings = read(tmp_path, _table("byteplus_coding", base_url), {"K": "k"})
    assert settings.providers[0].endpoints[0].base_url == base_url
    assert settings.warnings == ()


def test_the_address_of_another_kind_is_doubtful(tmp_path: Path) -> None:
    settings = read(tmp_path, _table("openai", "https://api.moonshot.ai/v1"), {"K": "k"})
    (warning,) = settings.warnings
    assert (warning.line, warning.code) == (3, "settings.foreign_address")
    assert 'kind = "kimi"' in str(warning)


def test_one_credential_for_two_lanes(tmp_path: Path) -> None:
    text = (
        '[providers.a]\nkind = "byteplus"\napi_key = { env = "A" }\n'
        '[providers.b]\nkind = "byteplus_coding"\napi_key = { env = "B" }\n'
    )
    assert problems(tmp_path, text, {"A": "same", "B": "same"}) == [(6, "providers.b.api_key", "shared_credential")]
    with pytest.raises(
        SettingsError, match=r"b \(byteplus_coding\) would use the same credential as a \(byteplus\)"
    ) as caught:
        read(tmp_path, text, {"A": "same", "B": "same"})
    assert "'same'" not in str(caught.value)
    assert len(read(tmp_path, text, {"A": "one", "B": "other"}).providers) == 2


def test_one_variable_for_two_lanes(tmp_path: Path) -> None:
    environ = {"ANYKEY_HOME": str(tmp_path), "ANYKEY_PROVIDERS": "volcengine,volcengine_coding", "ARK_API_KEY": "k"}
    with pytest.raises(SettingsError, match="two lanes of one vendor"):
        load_settings(environ)
