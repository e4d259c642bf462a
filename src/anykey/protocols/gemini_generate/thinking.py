"""``thinkingConfig``, both ways: how much the model may think, and whether the caller sees it.

Thoughts are hidden unless asked for, so a config that does not say is read as ``display="omitted"``; ``"summarized"`` shows them.
"""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import Reasoning
from anykey.protocols.effort import BUDGETS, effort_of
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import drop_extras, kept, write_extras

SHOWN = "summarized"
HIDDEN = "omitted"
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_EFFORTS = ("none", *_LEVELS, "max")
_UNSAID = "thinking_level_unspecified"


def decode_reasoning(fields: Fields | None) -> Reasoning | None:
    """``generationConfig.thinkingConfig``. A budget of 0 is off, one of -1 is the model's own decision."""
    if fields is None:
        return None
    shows, budget, level = (
        fields.flag("includeThoughts"),
        fields.integer("thinkingBudget"),
        fields.text("thinkingLevel"),
    )
    effort = None if level is None or level.lower() == _UNSAID else level.lower()
    mode = None if budget is None else "off" if budget == 0 else "adaptive" if budget < 0 else "on"
    return Reasoning(mode, effort, budget if mode == "on" else None, SHOWN if shows else HIDDEN, kept(fields.rest()))


def encode_reasoning(asked: Reasoning, dialect: Dialect, log: LossLog) -> Json:
    """The ``thinkingConfig``, empty when nothing has to be said."""
    out: Json = {}
    if dialect.thinking == "none":
        for name in ("mode", "effort", "budget_tokens", "display"):
            if getattr(asked, name) is not None:
                log.dropped(f"reasoning.{name}", "this model cannot think")
        drop_extras(asked.extras, "reasoning", log)
        return out
    if asked.effort is not None and asked.effort not in _EFFORTS:
        log.dropped("reasoning.effort", f"{asked.effort!r} is no effort of this protocol")
        asked = Reasoning(asked.mode, None, asked.budget_tokens, asked.display, asked.extras)
    off = asked.mode == "off" or (asked.mode is None and asked.effort == "none")
    if off:
        _write_off(out, asked, dialect, log)
    elif dialect.thinking == "level":
        _write_level(out, asked, dialect, log)
    else:
        _write_budget(out, asked, dialect, log)
    if not off:
        out["includeThoughts"] = asked.display != HIDDEN
        if asked.display not in (None, HIDDEN, SHOWN):
            log.approximated("reasoning.display", "thoughts are shown as the model sums them up")
    elif asked.display not in (None, HIDDEN):
        log.dropped("reasoning.display", "thinking is off")
    write_extras(out, asked.extras, "reasoning", log)
    return out


def _write_off(out: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> None:
    if asked.budget_tokens is not None:
        log.dropped("reasoning.budget_tokens", "thinking is off")
    if asked.effort is not None and asked.mode is not None:
        log.dropped("reasoning.effort", "thinking is off")
    path = "reasoning.effort" if asked.mode is None else "reasoning.mode"
    if dialect.thinking == "level":
        out["thinkingLevel"] = dialect.lowest_level.upper()
        log.approximated(path, f"this model always thinks, so as little as it can: {dialect.lowest_level}")
        return
    out["thinkingBudget"] = dialect.min_thinking_budget
    if dialect.min_thinking_budget:
        log.approximated(path, f"this model always thinks, with {dialect.min_thinking_budget} tokens at least")


def _write_level(out: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> None:
    effort = asked.effort
    if asked.budget_tokens is not None:
        if effort is None:
            effort = effort_of(asked.budget_tokens)
            log.approximated("reasoning.budget_tokens", f"sent as the level {effort}")
        else:
            log.dropped("reasoning.budget_tokens", "this model takes a level instead, which is given too")
    if asked.mode is not None and (asked.mode != "on" or asked.budget_tokens is None):
        log.approximated("reasoning.mode", "this model always thinks, as much as it likes up to a level")
    if effort is None:
        return
    lowest, highest = _LEVELS.index(dialect.lowest_level), _LEVELS.index(dialect.highest_level)
    wanted = 0 if effort == "none" else len(_LEVELS) if effort == "max" else _LEVELS.index(effort)
    level = _LEVELS[min(max(wanted, lowest), highest)]
    if level != effort:
        log.approximated("reasoning.effort", f"sent as {level}")
    out["thinkingLevel"] = level.upper()


def _write_budget(out: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> None:
    budget, path = asked.budget_tokens, "reasoning.budget_tokens"
    if budget is None and asked.effort in BUDGETS:
        budget, path = BUDGETS[asked.effort], "reasoning.effort"
        log.approximated(path, f"sent as a budget of {budget} tokens")
    elif asked.effort is not None:
        log.dropped("reasoning.effort", "a budget says how much to think here")
    if budget is None:
        if asked.mode is not None:
            out["thinkingBudget"] = -1
        if asked.mode not in (None, "adaptive"):
            log.approximated("reasoning.mode", "the model decides how much it thinks")
        return
    if asked.mode not in (None, "on"):
        log.approximated("reasoning.mode", "sent as a budget of tokens")
    least = max(dialect.min_thinking_budget, 1)
    sent = min(max(budget, least), dialect.max_thinking_budget)
    if sent != budget:
        log.approximated(path, f"cut to {sent}: this model takes {least} to {dialect.max_thinking_budget}")
    out["thinkingBudget"] = sent
