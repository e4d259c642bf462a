"""The list of models to show."""

from anykey.routing.configured import ModelSettings
from anykey.routing.listing import list_models
from tests.unit.routing.configuring import grouped


def test_aliases_are_listed_and_names_with_a_star_are_not() -> None:
    known = grouped(models=(ModelSettings("house", ("lab/x",), aliases=("home",)), ModelSettings("c-*", ("lab/*",))))
    names = [entry.id for entry in list_models(known)]
    assert names[:2] == ["house", "home"]
    assert "c-*" not in names


def test_only_what_is_allowed_is_shown() -> None:
    known = grouped(models=(ModelSettings("house", ("lab/x",)),))
    assert [entry.id for entry in list_models(known, lambda name: name == "house")] == ["house"]
