"""Scenarios: which public model a call goes to by what kind of call it is, whatever model it names.

They are those of claude-code-router, for any client and protocol, and decided in its order (its `getUseModel`), images before
the default as in its image agent:

1. `longContext`: more tokens than the limit, since a model whose window is too small cannot answer at all;
2. `background`: a client's small helper call, a title or a compaction;
3. `webSearch`: the call is a search: the provider's own web search is its only tool (some agents offer one with every call);
4. `think`: it asks for reasoning;
5. `image`: the newest turn shows pictures;
6. `default`: everything else.

A scenario without a rule is passed over. Each decision says why, with the numbers it was made by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from anykey.routing.ask import Facts

LONG_CONTEXT_TOKENS = 60_000
SCENARIOS = ("longContext", "background", "webSearch", "think", "image", "default")
"""The names, in the order in which they are decided."""


class ScenarioRules(msgspec.Struct, frozen=True):
    """The public model of each scenario, by its name; one that is missing is not treated apart. A call of more than
    `long_context_tokens` is `longContext`."""

    models: Mapping[str, str]
    long_context_tokens: int = LONG_CONTEXT_TOKENS


class Scenario(NamedTuple):
    """`name` is one of SCENARIOS, `model` the public model it leads to, `why` the reason in words."""

    name: str
    why: str
    model: str


def scenario_of(facts: Facts, rules: ScenarioRules) -> Scenario | None:
    """The first scenario with a rule that the call fits; None: there is none, and the model it named stands."""
    return next(scenarios_of(facts, rules), None)


def scenarios_of(facts: Facts, rules: ScenarioRules) -> Iterator[Scenario]:
    """All that it fits, in order, for who has to pass over one whose model may not be called."""
    for name in SCENARIOS:
        model = rules.models.get(name)
        why = None if model is None else _why(name, facts, rules.long_context_tokens)
        if model is not None and why is not None:
            yield Scenario(name, why, model)


def _why(name: str, facts: Facts, limit: int) -> str | None:
    """Why the call is of this scenario; None: it is not."""
    match name:
        case "longContext" if facts.tokens > limit:
            return f"{facts.tokens:,} tokens estimated, more than {limit:,}"
        case "background" if facts.background:
            return f"a helper call of {facts.client or 'its client'}: {facts.background}"
        case "webSearch" if facts.web_search and facts.tools <= 1:
            return "it asks for the provider's own web search"
        case "think" if facts.thinking:
            return f"it asks for reasoning, effort {facts.effort}" if facts.effort else "it asks for reasoning"
        case "image" if facts.images:
            return "its newest turn shows a picture" if facts.images == 1 else _pictures(facts.images)
        case "default":
            return "nothing else fits"
        case _:
            return None


def _pictures(count: int) -> str:
    return f"its newest turn shows {count} pictures"
