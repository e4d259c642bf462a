"""What every plan keeps to, whatever tree, group, lists and health it is made of."""

from collections import Counter
from fnmatch import fnmatchcase
from itertools import accumulate, islice

from hypothesis import given
from hypothesis import strategies as st

from anykey.routing.ask import Ask, Facts, Grant
from anykey.routing.configured import GroupSettings, ModelSettings, Rewrite
from anykey.routing.plan import Plan, plan
from anykey.routing.scenario import ScenarioRules
from anykey.routing.strategies import ranked, weighted
from anykey.routing.tree import Balance, Branch, Conditional, Fallback, Node, Target
from tests.unit.routing.configuring import View, grouped, ids

KNOWN = grouped(
    GroupSettings("narrow", providers=("byteplus", "lab")),
    GroupSettings(
        "tiered", scenarios=ScenarioRules({"longContext": "house", "think": "lab/think", "default": "pair"}, 100)
    ),
    GroupSettings("listed", models=("claude-*", "house")),
    models=(
        ModelSettings("house", ("lab/x", "byteplus/y", "anthropic/z"), larger=("pair",)),
        ModelSettings("pair", ("lab/x", "byteplus/y"), strategy="weighted", sticky=True, aliases=("both",)),
        ModelSettings("c-*", ("anthropic/claude-*",)),
    ),
    rewrites=(Rewrite("old-(.+)", r"\1"),),
)
PROVIDERS = ("lab", "anthropic", "byteplus", "nobody", None)
MODELS = ("a", "b", "house", "pair", "claude-x", None)
NAMES = st.sampled_from(
    ["house", "pair", "both", "c-opus", "claude-x", "lab/a", "old-house", "nothing", "byteplus/s@eu-west-1"]
)
LEAVES = st.builds(Target, st.sampled_from(PROVIDERS), st.sampled_from(MODELS), st.integers(0, 5))


def _branch(holds: bool, node: Node) -> Branch:
    return Branch("x", lambda _: holds, node)


def _inside(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=1, max_size=4).map(tuple)
    spread = st.sampled_from(["weighted", "least_busy", "lowest_latency", "lowest_cost"])
    branch = st.builds(_branch, st.booleans(), nodes)
    return st.one_of(
        st.builds(Fallback, several, weight=st.integers(0, 5)),
        st.builds(Balance, several, spread, st.booleans(), st.booleans(), st.integers(0, 5)),
        st.builds(Conditional, st.lists(branch, max_size=3).map(tuple), st.none() | nodes),
    )


TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, _inside, max_leaves=12)
DEPLOYMENTS = [f"{provider}/{model}" for provider in ("lab", "byteplus", "anthropic") for model in "abxyz"]
VIEWS = st.builds(
    View,
    st.dictionaries(st.sampled_from(DEPLOYMENTS), st.just("rests"), max_size=8),
    st.dictionaries(st.sampled_from(DEPLOYMENTS), st.integers(0, 9), max_size=5),
    st.dictionaries(st.sampled_from(DEPLOYMENTS), st.floats(1, 900), max_size=5),
)
CAPS = st.lists(
    st.lists(st.sampled_from(["*", "house", "lab/*", "c*", "old-*"]), max_size=2).map(tuple), max_size=2
).map(tuple)
GRANTS = st.builds(Grant, st.just("k"), st.sampled_from(["default", "narrow", "tiered", "listed"]), CAPS)
ROLLS = st.floats(0, 1, exclude_max=True)
CONFIGS: st.SearchStrategy[Node | None] = st.none() | TREES


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """A call in any group, perhaps with a config of its own."""
    model, grant, mark, tokens = (
        draw(NAMES),
        draw(GRANTS),
        draw(st.none() | st.text(max_size=5)),
        draw(st.integers(0, 200)),
    )
    return Ask(
        model=model,
        protocol="openai_chat",
        grant=grant,
        roll=draw(ROLLS),
        config=draw(CONFIGS),
        mark=lambda: mark,
        facts=lambda: Facts(model=model, protocol="openai_chat", tokens=tokens),
    )


ASKS = asks()


@given(ASKS, VIEWS)
def test_a_plan_ends_and_names_only_who_is_eligible(ask: Ask, view: View) -> None:
    made = plan(KNOWN, ask, view)
    if not isinstance(made, Plan):
        assert made.message
        return
    steps = list(made.steps)
    assert 0 < len(steps) < 100
    assert steps == list(made.steps)
    assert len({step.identity for step in steps}) == len(steps)
    resting = [step for step in steps if view.resting(step.deployment.id)]
    assert not resting or made.single or (made.all_resting and len(resting) == len(steps))
    for step in steps:
        provider = KNOWN.by_name[step.deployment.provider]
        assert step.endpoint.provider == provider.name
        assert step.endpoint in step.deployment.endpoints.values()
        assert step.why
        group = KNOWN.groups[ask.grant.group]
        assert not group.providers or provider.name in group.providers


@given(ASKS, VIEWS)
def test_the_same_ask_with_the_same_roll_has_the_same_plan(ask: Ask, view: View) -> None:
    one, other = plan(KNOWN, ask, view), plan(KNOWN, ask, view)
    if isinstance(one, Plan) and isinstance(other, Plan):
        assert list(one.steps) == list(other.steps)
        assert one.reasons == other.reasons
    else:
        assert one == other


@given(ASKS)
def test_no_name_is_planned_that_a_list_does_not_allow(ask: Ask) -> None:
    made = plan(KNOWN, ask)
    if isinstance(made, Plan):
        names = {made.model_asked, made.model} | {made.model_asked.removeprefix("old-")}
        for globs in ask.grant.caps:
            # A scenario's model was looked at instead of the name that was asked for, after that one was.
            assert any(fnmatchcase(name, glob) for name in names for glob in globs)


@given(st.sampled_from(["pair", "both"]), st.text(max_size=20), ROLLS, ROLLS)
def test_a_conversation_stays_where_it_is(model: str, mark: str, one: float, other: float) -> None:
    def first(roll: float) -> str:
        made = plan(KNOWN, Ask(model=model, protocol="openai_chat", grant=Grant(key="k"), roll=roll, mark=lambda: mark))
        assert isinstance(made, Plan)
        return made.first.deployment.id

    assert first(one) == first(other)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=12), ROLLS)
def test_every_order_has_everyone_once(weights: list[int], roll: float) -> None:
    drawn = [choice.place for choice in weighted(list(accumulate(weights)), roll)]
    assert sorted(drawn) == list(range(len(weights)))
    idle = [place for place in drawn if weights[place] == 0]
    assert drawn[len(drawn) - len(idle) :] == idle
    assert sorted(choice.place for choice in ranked(len(weights), weights.__getitem__, roll)) == sorted(drawn)


def test_the_shares_of_100_000_calls_are_the_weights() -> None:
    weights = (1, 2, 3, 14)
    nodes = tuple(Target("lab", f"m{place}", weight) for place, weight in enumerate(weights))
    known = grouped(configs={"c": Balance(nodes)})
    state = 1
    drawn: Counter[str] = Counter()
    for _ in range(100_000):
        state = (
            state * 6364136223846793005 + 1442695040888963407
        ) % 2**64  # Knuth's MMIX generator: as random as needed
        made = plan(known, Ask(model="m", protocol="openai_chat", grant=Grant(config="c"), roll=(state >> 11) / 2**53))
        assert isinstance(made, Plan)
        drawn[made.first.deployment.model] += 1
    for place, weight in enumerate(weights):
        assert abs(drawn[f"m{place}"] / 100_000 - weight / sum(weights)) < 0.02


def test_a_thousand_deployments_are_not_worked_out_for_one_call() -> None:
    nodes = tuple(Target("lab", f"m{place}") for place in range(1000))
    known = grouped(configs={"c": Balance(nodes)})
    made = plan(known, Ask(model="m", protocol="openai_chat", grant=Grant(config="c"), roll=0.5))
    assert isinstance(made, Plan)
    assert ids(made)[0] == "lab/m500"
    assert len({step.deployment.id for step in islice(made.steps, 1000)}) == 1000
