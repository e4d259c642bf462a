"""Conditions on what a call says of itself, in CEL, the Common Expression Language: `tokens > 60000 && metadata.team == "x"`.

CEL has no loops, no side effects and no way out of the values it is given, so an operator's condition can do no harm; its macros
over lists, which could be nested into long work, are refused, for no variable is a list. What it may name is `VARIABLES`:
texts, numbers, flags, and the maps `metadata` and `headers`. A name that a map does not hold makes the condition false
rather than wrong: a call without metadata is simply not the call that was meant.

The library takes 0.2 s to load, so it is loaded by the first condition that is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from anykey.routing.ask import Facts

LONGEST_CONDITION = 2000
VARIABLES = (
    "model",
    "protocol",
    "client",
    "key",
    "group",
    "stream",
    "tokens",
    "max_tokens",
    "tools",
    "images",
    "web_search",
    "thinking",
    "effort",
    "background",
    "metadata",
    "headers",
)
"""What a condition may name. `max_tokens` is 0 where the call sets no limit, `background` is a flag."""

_MACRO = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter|transform\w*|sortBy)\s*\(")
_SAMPLES = (
    Facts(model="m", protocol="openai_chat"),
    Facts(
        model="claude-sonnet-5",
        protocol="anthropic_messages",
        client="claude-code",
        key="k",
        group="default",
        stream=True,
        tokens=100_000,
        max_tokens=32_000,
        tools=12,
        images=1,
        web_search=True,
        thinking=True,
        effort="high",
        background="title",
    ),
)
_DATA_FAULTS = (KeyError, ZeroDivisionError, IndexError)
"""What depends on the call, and so says nothing against the condition."""


class ConditionError(ValueError):
    """The condition cannot be meant; its text says why."""


class Condition:
    """A compiled condition, asked of a call's facts. `fault` is the newest reason why it could not be answered, for
    explanations; `note` is told of the first one."""

    __slots__ = ("_named", "_note", "_program", "fault", "source")

    def __init__(self, source: str, program: Any, note: Callable[[str], None] | None) -> None:
        self.source = source
        self.fault: str | None = None
        self._program = program
        self._named: tuple[str, ...] = tuple(program.variables())
        self._note = note

    def __call__(self, facts: Facts) -> bool:
        """Whether the condition holds; what cannot be answered does not."""
        try:
            return self._program.execute({name: _value(facts, name) for name in self._named}) is True
        except KeyError:
            return False
        except (TypeError, ValueError, RuntimeError, ArithmeticError, IndexError) as error:
            self._complain(error)
            return False

    def _complain(self, error: Exception) -> None:
        known, self.fault = self.fault, _first_line(error)
        if known is None and self._note is not None:
            self._note(f"the condition {self.source!r} could not be answered and counts as false: {self.fault}")


def compile_condition(source: str, note: Callable[[str], None] | None = None) -> Condition:
    """Compile `source`. ConditionError: it is too long, is no CEL, names what there is not, mixes types, or yields no flag.
    `note` is called with one sentence when a call's values make it fail for the first time."""
    if not source.strip():
        raise ConditionError("it is empty")
    if len(source) > LONGEST_CONDITION:
        raise ConditionError(f"it has {len(source):,} characters; at most {LONGEST_CONDITION:,} are read")
    macro = _MACRO.search(source)
    if macro is not None:
        raise ConditionError(f"{macro[1]}(…) is not allowed here: there are no lists to go through")
    import cel  # noqa: PLC0415 - 0.2 s that only configurations with conditions need

    try:
        program = cel.compile(source)
    except ValueError as error:
        raise ConditionError(_parse_fault(error)) from None
    unknown = sorted(set(program.variables()) - set(VARIABLES))
    if unknown:
        raise ConditionError(f"there is no {unknown[0]!r}; it may name {', '.join(VARIABLES)}")
    for sample in _SAMPLES:
        _check(program, sample)
    return Condition(source, program, note)


def _check(program: Any, sample: Facts) -> None:
    """Answer it once: type errors and unknown functions show, a name that no map holds does not matter."""
    try:
        result = program.execute({name: _value(sample, name) for name in VARIABLES})
    except _DATA_FAULTS:
        return
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise ConditionError(_first_line(error)) from None
    if not isinstance(result, bool):
        raise ConditionError(f"it must be true or false, and is {type(result).__name__}")


def _value(facts: Facts, name: str) -> Any:
    match name:
        case "max_tokens":
            return facts.max_tokens or 0  # CEL has no order between null and numbers
        case "background":
            return bool(facts.background)
        case "metadata" | "headers":
            return dict(getattr(facts, name))
        case _:
            return getattr(facts, name)


def _parse_fault(error: ValueError) -> str:
    """The parser's own words without the source, which it repeats."""
    _, _, said = str(error).partition("ERROR: ")
    return (said or str(error)).splitlines()[0].removeprefix("<input>:")[:300]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
