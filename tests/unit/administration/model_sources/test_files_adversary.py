"""Data files that were made to hurt."""

import io
import zipfile

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.model_sources.files import read_bytes

MEMBER = "litellm/model_prices_and_context_window_backup.json"
ROW = '{"%s": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": %s, "max_input_tokens": %s}}'


def wheel(name: str = "m", price: str = "1e-6", tokens: str = "1000") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(MEMBER, ROW % (name, price, tokens))
    return data.getvalue()


def test_an_honest_one_is_read() -> None:
    (facts,) = read_bytes(wheel(), "a.whl", "2026-01-01").facts
    assert (facts.model, facts.context_tokens) == ("m", 1000)


@pytest.mark.parametrize("tokens", ["1e99999", "1e999999", "-1", "-1e9", "9" * 30])
def test_a_count_that_cannot_be_meant_refuses_the_file(tokens: str) -> None:
    with pytest.raises(AdministrationError):
        read_bytes(wheel(tokens=tokens), "a.whl", "2026-01-01")


@pytest.mark.parametrize("price", ["-1", "1e15", "1e99999"])
def test_a_price_that_cannot_be_meant_refuses_the_file(price: str) -> None:
    with pytest.raises(AdministrationError):
        read_bytes(wheel(price=price), "a.whl", "2026-01-01")


def test_a_name_that_would_speak_to_the_terminal_refuses_the_file() -> None:
    with pytest.raises(AdministrationError):
        read_bytes(wheel(name="m\\u001b[31m"), "a.whl", "2026-01-01")
