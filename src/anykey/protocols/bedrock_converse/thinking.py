"""How much the model may think: a field of ``additionalModelRequestFields`` that is another for each family of models, and
``outputConfig.effort``."""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import report
from anykey.protocols.effort import BUDGETS, effort_of

SMALLEST_BUDGET = 1024
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THREE = ("low", "medium", "high")
_NEAREST = {"minimal": "low", "xhigh": "high", "max": "high"}
"""Efforts that have no word of their own among the three."""


class Thinking(NamedTuple):
    """``fields`` of ``additionalModelRequestFields``; ``effort`` of ``outputConfig``. ``active``: the model may think, which
    rules out sampling; ``by_budget``: up to a budget, which rules out forced tools too."""

    fields: Json
    effort: str | None = None
    active: bool = False
    by_budget: bool = False


NOTHING = Thinking({})


def encode_reasoning(request: GenerateRequest, dialect: Dialect, log: LossLog) -> Thinking:
    """What the model's dialect can say of ``request.reasoning``."""
    asked = request.reasoning
    if asked is None:
        return NOTHING
    report(asked.extras, "reasoning", log)
    off = asked.mode == "off" or (asked.mode is None and asked.effort == "none")
    effort = _effort(asked, dialect, log)
    match dialect.thinking:
        case "none":
            _drop(asked, log, "this model has no field for thinking", kept=effort)
            return Thinking({}, effort)
        case "reasoning_effort" | "reasoning_config":
            return Thinking(_by_word(asked, dialect, log, off=off), effort)
        case "budget" | "adaptive" if off:
            _drop(asked, log, "thinking is switched off", kept=asked.effort, mode=False)
            return Thinking({"thinking": {"type": "disabled"}}, effort)
        case "adaptive":
            wire, effort = _adaptive(asked, effort, dialect, log)
        case "budget":
            wire = _budget(asked, dialect, request.max_output_tokens, log)
    if wire is None:
        return Thinking({}, effort)
    if asked.display is not None:
        wire["display"] = asked.display
    return Thinking({"thinking": wire}, effort, active=True, by_budget=dialect.thinking == "budget")


def _drop(asked: Reasoning, log: LossLog, why: str, *, kept: str | None, mode: bool = True) -> None:
    """Name all that was asked but ``kept``, the effort."""
    for name in ("mode", "budget_tokens", "display"):
        if getattr(asked, name) is not None and (mode or name != "mode"):
            log.dropped(f"reasoning.{name}", why)
    if asked.effort is not None and kept is None:
        log.dropped("reasoning.effort", why)


def _effort(asked: Reasoning, dialect: Dialect, log: LossLog) -> str | None:
    """``outputConfig.effort``, None where it is not taken or says nothing."""
    effort = asked.effort
    if effort is None or not dialect.effort:
        return None
    if effort in _EFFORTS:
        return effort
    if effort == "minimal":
        log.approximated("reasoning.effort", "sent as low")
        return "low"
    if dialect.thinking in ("budget", "adaptive") and (effort != "none" or asked.mode not in (None, "off")):
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
        log.dropped("reasoning.effort", "this model takes no effort")
    return {"type": "adaptive" if asked.mode in (None, "on") else asked.mode}, effort


def _budget(asked: Reasoning, dialect: Dialect, max_tokens: int | None, log: LossLog) -> Json | None:
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
    if max_tokens is not None and budget >= max_tokens:
        if max_tokens <= SMALLEST_BUDGET:
            log.dropped("reasoning", f"no room to think in {max_tokens} tokens")
            return None
        log.approximated("reasoning.budget_tokens", f"cut to {max_tokens - 1}, below the limit of the answer")
        budget = max_tokens - 1
    return {"type": "enabled", "budget_tokens": budget}


def _by_word(asked: Reasoning, dialect: Dialect, log: LossLog, *, off: bool) -> Json:
    """One of three words. A model that takes only the word cannot be told not to think."""
    by_effort = dialect.thinking == "reasoning_effort"
    if asked.display is not None:
        log.dropped("reasoning.display", "this model has no such option")
    if off:
        if asked.budget_tokens is not None:
            log.dropped("reasoning.budget_tokens", "thinking is switched off")
        if by_effort:
            log.dropped("reasoning", "this model always thinks")
            return {}
        return {"reasoningConfig": {"type": "disabled"}}
    if asked.mode is not None and (by_effort or asked.mode != "on"):
        log.approximated("reasoning.mode", "this model is told an effort")
    word = asked.effort
    if asked.budget_tokens is not None:
        if word is None:
            word = effort_of(asked.budget_tokens, _THREE)
            log.approximated("reasoning.budget_tokens", f"sent as the effort {word}")
        else:
            log.dropped("reasoning.budget_tokens", "the effort says how much to think")
    sent = word if word in _THREE else _NEAREST.get(word or "", "medium")
    if asked.effort is not None and sent != asked.effort:
        log.approximated("reasoning.effort", f"sent as {sent}")
    if by_effort:
        return {"reasoning_effort": sent}
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": sent}}
