"""``thinking`` and ``output_config.effort``, both ways: how much the model may think."""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import keep, put
from anykey.protocols.effort import BUDGETS, effort_of
from anykey.protocols.fields import Fields

SMALLEST_BUDGET = 1024
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_MODES = {"enabled": "on", "disabled": "off"}
_WORDS = {"on": "enabled", "off": "disabled"}


class Thinking(NamedTuple):
    """The two wire fields; None where nothing is sent."""

    thinking: Json | None
    effort: str | None

    @property
    def active(self) -> bool:
        """The model may think before it answers, which rules out sampling."""
        return self.thinking is not None and self.thinking["type"] != "disabled"

    @property
    def by_budget(self) -> bool:
        """It thinks up to a budget, which rules out forced tools; adaptive thinking goes with them (recorded: HTTP 200)."""
        return self.thinking is not None and self.thinking["type"] == "enabled"


def decode_reasoning(fields: Fields | None, effort: str | None) -> Reasoning | None:
    """``thinking`` with the effort of ``output_config``."""
    if fields is None:
        return None if effort is None else Reasoning(effort=effort)
    word = fields.required_text("type")
    budget, display = fields.integer("budget_tokens"), fields.text("display")
    return Reasoning(_MODES.get(word, word), effort, budget, display, keep(fields.rest()))


def encode_reasoning(request: GenerateRequest, dialect: Dialect, max_tokens: int, log: LossLog) -> Thinking:
    """What the upstream's dialect can say of ``request.reasoning``."""
    asked = request.reasoning
    if asked is None:
        return Thinking(None, None)
    effort = _effort(asked, dialect, log)
    if dialect.thinking == "none":
        for name in ("mode", "budget_tokens", "display"):
            if getattr(asked, name) is not None:
                log.dropped(f"reasoning.{name}", "this model cannot think")
        if effort is None and asked.effort is not None and not dialect.effort:
            log.dropped("reasoning.effort", "this model cannot think")
        wire = None
    elif asked.mode == "off" or (asked.mode is None and asked.effort == "none"):
        for name in ("budget_tokens", "display"):
            if getattr(asked, name) is not None:
                log.dropped(f"reasoning.{name}", "thinking is switched off")
        wire = {"type": "disabled"}
    elif dialect.thinking == "adaptive":
        wire, effort = _adaptive(asked, effort, dialect, log)
    else:
        wire = _budget(asked, dialect, max_tokens, log)
    return Thinking(_finish(wire, asked, log), effort)


def _finish(wire: Json | None, asked: Reasoning, log: LossLog) -> Json | None:
    if wire is None:
        put({}, asked.extras, "reasoning", log)
        return None
    if asked.display is not None and wire["type"] != "disabled":
        wire["display"] = asked.display
    put(wire, asked.extras, "reasoning", log)
    return wire


def _effort(asked: Reasoning, dialect: Dialect, log: LossLog) -> str | None:
    """``output_config.effort``, None where it is not taken or says nothing."""
    effort = asked.effort
    if effort is None or not dialect.effort:
        return None
    if effort in _EFFORTS:
        return effort
    if effort == "minimal":
        log.approximated("reasoning.effort", "sent as low")
        return "low"
    if effort != "none" or asked.mode not in (None, "off"):
        log.dropped("reasoning.effort", f"{effort!r} is no effort of this protocol")
    return None


def _adaptive(asked: Reasoning, effort: str | None, dialect: Dialect, log: LossLog) -> tuple[Json, str | None]:
    if asked.budget_tokens is not None:
        if effort is None and asked.effort is None and dialect.effort:
            effort = effort_of(asked.budget_tokens, _EFFORTS)
            log.approximated("reasoning.budget_tokens", f"sent as the effort {effort}")
        else:
            log.dropped("reasoning.budget_tokens", "this model sizes its thinking itself")
    elif asked.mode == "on":
        log.approximated("reasoning.mode", "this model sizes its thinking itself")
    if asked.effort is not None and not dialect.effort:
        log.dropped("reasoning.effort", "this upstream takes no effort")
    word = "adaptive" if asked.mode in (None, "on") else asked.mode
    return {"type": word}, effort


def _budget(asked: Reasoning, dialect: Dialect, max_tokens: int, log: LossLog) -> Json | None:
    budget = asked.budget_tokens
    if asked.mode not in (None, "on"):
        log.approximated("reasoning.mode", f"{asked.mode!r} sent as a budget of tokens")
    if budget is None:
        word = asked.effort if asked.effort in BUDGETS else "medium"
        budget = max(BUDGETS[word], SMALLEST_BUDGET)
        if asked.effort is not None and not dialect.effort:
            log.approximated("reasoning.effort", f"sent as a budget of {budget} tokens")
    elif asked.effort is not None and not dialect.effort:
        log.dropped("reasoning.effort", "the budget says how much to think")
    if budget < SMALLEST_BUDGET:
        log.approximated("reasoning.budget_tokens", f"raised to {SMALLEST_BUDGET}, the least there is here")
        budget = SMALLEST_BUDGET
    if budget >= max_tokens:
        if max_tokens <= SMALLEST_BUDGET:
            log.dropped("reasoning", f"no room to think in {max_tokens} tokens")
            return None
        log.approximated("reasoning.budget_tokens", f"cut to {max_tokens - 1}, below the limit of the answer")
        budget = max_tokens - 1
    return {"type": _WORDS["on"], "budget_tokens": budget}
