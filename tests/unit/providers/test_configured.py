"""A configured provider lists what was pinned, else what the catalogue knows, and hides its secrets."""

from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.load import catalogue
from anykey.providers.secret import Secret

KIND = catalogue()["openai"]


def test_pinned_models_take_the_place_of_the_catalogues() -> None:
    assert ProviderSettings("p", KIND, KIND.endpoints).listed_models() == KIND.models
    assert ProviderSettings("p", KIND, KIND.endpoints, models=("a",)).listed_models() == ("a",)


def test_it_shows_neither_credential_nor_headers() -> None:
    provider = ProviderSettings("p", KIND, KIND.endpoints, Secret("sk-1"), headers=(("x-team", "sk-2"),))
    assert repr(provider) == "ProviderSettings(name='p', kind='openai')"


def test_default_timeouts() -> None:
    assert Timeouts() == Timeouts(connect_s=5.0, first_byte_s=120.0, idle_s=60.0, total_s=1800.0)
