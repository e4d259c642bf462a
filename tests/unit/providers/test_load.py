"""The catalogue is found by id or alias and is cheap to read."""

import time

import pytest

from anykey.providers.load import catalogue, find


@pytest.mark.parametrize(
    ("name", "kind"),
    [("openai", "openai"), ("moonshot", "kimi"), ("ark", "volcengine"), ("github_copilot", "github-copilot")],
)
def test_find_by_id_or_alias(name: str, kind: str) -> None:
    found = find(name)
    assert found is not None
    assert found.id == kind


def test_find_nothing() -> None:
    assert find("opnai") is None


def test_read_once_and_not_to_be_changed() -> None:
    assert catalogue() is catalogue()
    with pytest.raises(TypeError):
        catalogue()["openai"] = catalogue()["xai"]  # type: ignore[index]  # the point of the test


def test_reading_is_cheap() -> None:
    def once() -> float:
        catalogue.cache_clear()
        start = time.process_time()
        catalogue()
        return time.process_time() - start

    assert min(once() for _ in range(5)) < 0.12, "it takes 30 ms on an idle machine, and every start pays for it"
