"""Which provider a name means."""

from anykey.routing.names import providers_by_name
from tests.unit.routing.configuring import provider


def test_configured_names_win_over_kinds_and_aliases() -> None:
    work, private = provider("openai", "work"), provider("xai", "openai")
    found = providers_by_name([work, private])
    assert found["work"] is found["openai_compatible"] is work
    assert found["openai"] is found["grok"] is private


def test_the_earlier_of_two_of_a_kind_has_its_names() -> None:
    first, second = provider("moonshot", "a"), provider("moonshot", "b")
    found = providers_by_name([first, second])
    assert found["kimi"] is found["moonshot"] is first
    assert found["b"] is second
