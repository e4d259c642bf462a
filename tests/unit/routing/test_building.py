"""From settings to a snapshot."""

from fractions import Fraction

from anykey.routing.building import build_snapshot, node_of, provider_of, target_of
from anykey.routing.configured import GroupSettings, ModelSettings, RouteSettings, RoutingSettings, Shadow, split_path
from anykey.routing.tree import Balance, Fallback, Target
from anykey.settings.doors import moved
from tests.unit.routing.configuring import Given, grouped, provider


def test_texts_and_leaves_are_deployments() -> None:
    leaf = Target("lab", "x", weight=2)
    assert target_of("@lab/a/b") == Target("lab", "a/b")
    assert target_of("house") == Target(None, "house")
    assert target_of(leaf) is leaf
    assert split_path("@lab/") == ("lab", "")


def test_a_strategy_is_a_tree() -> None:
    pair = (Target("a", "x"), Target("b", "y"))
    assert node_of(RouteSettings(("a/x",), "weighted")) == pair[0]
    assert node_of(RouteSettings(("a/x", "b/y"), sticky=True)) == Fallback(pair, sticky=True)
    assert node_of(ModelSettings("m", ("a/x", "b/y"), strategy="least_busy")) == Balance(pair, "least_busy")


def test_the_default_group_is_always_there() -> None:
    assert set(grouped().groups) == {"default"}
    known = grouped(GroupSettings("default", models=("a",)), GroupSettings("g", price_multiplier=Fraction("1.25")))
    assert known.groups["default"].models == ("a",)
    assert known.groups["g"].price_multiplier == Fraction(5, 4)


def test_a_groups_providers_are_known_by_their_configured_names() -> None:
    assert grouped(GroupSettings("g", providers=("claude", "lab"))).groups["g"].providers == ("anthropic", "lab")


def test_the_wildcard_with_the_most_letters_comes_first() -> None:
    known = grouped(models=tuple(ModelSettings(name, ("lab/x",)) for name in ("*", "claude-*", "claude-*-x")))
    assert [model.name for _, model in known.wildcards] == ["claude-*-x", "claude-*", "*"]


def test_models_to_go_on_with_are_paths_of_providers_or_names() -> None:
    model = ModelSettings("m", ("lab/x",), larger=("lab/y", "z-ai/glm"), shadow=Shadow("lab/s", 5))
    public = grouped(models=(model,)).public["m"]
    assert public.larger == (Target("lab", "y"), Target(None, "z-ai/glm"))
    assert public.shadow == (Target("lab", "s"), 5)


def test_the_files_configs_win_over_stored_ones() -> None:
    routing = RoutingSettings(configs={"a": Target("lab", "file")})
    given = Given((provider("custom", "lab"),), (), routing)
    known = build_snapshot(given, stored_configs={"a": Target("lab", "stored"), "b@2": Target("lab", "b")})
    assert known.configs == {"a": Target("lab", "file"), "b@2": Target("lab", "b")}


def test_the_doors_of_other_regions_are_kept_unless_the_provider_was_moved() -> None:
    settings = provider("byteplus")
    made = provider_of(settings)
    assert list(made.regions) == ["ap-southeast-1", "eu-west-1"]
    assert made.lane == "general"
    assert made.regions["ap-southeast-1"] == made.endpoints
    away = provider("byteplus", endpoints=moved(settings.endpoints, "http://127.0.0.1:9/api/v3"))
    assert provider_of(away).regions == {}


def test_a_model_that_several_list_is_all_of_theirs() -> None:
    known = build_snapshot(Given((provider("openai", "a", models=("m",)), provider("openai", "b", models=("m", "n")))))
    assert [one.name for one in known.pinned["m"]] == ["a", "b"]
    assert [one.name for one in known.listed["n"]] == ["b"]
