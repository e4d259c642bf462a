"""How much a model is asked to think: four spellings read, and the one or two written that an upstream takes."""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import Reasoning
from anykey.protocols.effort import BUDGETS, effort_of, nearest_effort
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.dialect import Dialect, listed
from anykey.protocols.openai_chat.extras import drop_extras, kept, write_extras

_MODES = {"enabled": "on", "disabled": "off"}
_SWITCHES = {"on": "enabled", "off": "disabled", "auto": "auto"}


def read_effort(fields: Fields) -> Reasoning | None:
    """``reasoning_effort``, ``thinking: {type, budget_tokens}``, ``enable_thinking`` with ``thinking_budget``, and the
    ``reasoning: {effort, max_tokens, enabled, exclude}`` object, together."""
    effort, budget, display = fields.text("reasoning_effort"), fields.integer("thinking_budget"), None
    rest: Json = {}
    enabled = fields.flag("enable_thinking")
    mode = None if enabled is None else "on" if enabled else "off"
    thinking = fields.nested("thinking")
    if thinking is not None:
        word = thinking.text("type")
        mode = mode or (None if word is None else _MODES.get(word, word))
        tokens = thinking.integer("budget_tokens")
        budget = budget if tokens is None else tokens
        rest.update(thinking.rest())
    asked = fields.nested("reasoning")
    if asked is not None:
        enabled, tokens, word = asked.flag("enabled"), asked.integer("max_tokens"), asked.text("effort")
        mode = mode or (None if enabled is None else "on" if enabled else "off")
        budget = budget if tokens is None else tokens
        effort = effort or word
        display = "omitted" if asked.flag("exclude") else None
        rest.update(asked.rest())
    if effort is None and budget is None and mode is None and display is None and not rest:
        return None
    return Reasoning(mode, effort, budget, display, kept(rest))


def encode_effort(body: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> None:
    """Ask as the upstream understands it. What is then left to the model's own default is a Loss."""
    if dialect.reasoning_details:
        _write_object(body, asked, log)
        return
    if asked.display is not None:
        log.dropped("reasoning.display", "reasoning is shown as the upstream shows it")
    if asked.mode == "off" or (asked.mode is None and asked.effort == "none"):
        asked = _not_thinking(asked, dialect, log)
    switched = _write_switch(body, asked, dialect, log)
    if asked.mode == "off":
        _drop_amounts(asked, log)
        effort = None
    else:
        effort = _write_effort(body, asked, dialect, log)
    if asked.mode is not None and not switched:
        if effort is not None:
            log.approximated("reasoning.mode", "only the effort is sent")
        else:
            log.dropped("reasoning.mode", "left to the model's default")
    if "thinking" in body:
        write_extras(body["thinking"], asked.extras, "reasoning", log)
    else:
        drop_extras(asked.extras, "reasoning", log)


def _not_thinking(asked: Reasoning, dialect: Dialect, log: LossLog) -> Reasoning:
    """The wish that the model does not think, as this upstream can be told it."""
    off, by_effort = dialect.thinking_off, asked.mode is None
    if off == "switch":
        if not by_effort or dialect.thinking_switch == "none":
            return asked
        log.emulated("reasoning.effort", "thinking is switched off")
        return Reasoning("off", extras=asked.extras)
    if not by_effort:
        _drop_amounts(asked, log)
    place = "reasoning.effort" if by_effort else "reasoning.mode"
    if off != "impossible":
        if not by_effort or asked.effort != off:
            log.emulated(place, f"sent as effort {off}")
        return Reasoning(effort=off, extras=asked.extras)
    if dialect.reasoning_effort:
        least = effort_of(0, listed(dialect.efforts) or BUDGETS)
        log.approximated(place, f"this model always thinks; sent as effort {least}")
        return Reasoning(effort=least, extras=asked.extras)
    log.dropped(place, "this model always thinks")
    return Reasoning(extras=asked.extras)


def _drop_amounts(asked: Reasoning, log: LossLog) -> None:
    for key in ("effort", "budget_tokens"):
        if getattr(asked, key) is not None:
            log.dropped(f"reasoning.{key}", "thinking is off")


def _write_effort(body: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> str | None:
    """Send how much to think; the effort that was sent."""
    effort, budget = asked.effort, asked.budget_tokens
    if budget is not None and "thinking_budget" not in body:
        if effort is None and dialect.reasoning_effort:
            effort = effort_of(budget, listed(dialect.efforts) or BUDGETS)
            log.approximated("reasoning.budget_tokens", f"sent as effort {effort}")
        else:
            log.dropped("reasoning.budget_tokens", "this upstream takes no thinking budget")
    if effort is None:
        return None
    if dialect.reasoning_effort:
        effort = _known_effort(effort, dialect, log)
        if effort is not None:
            body["reasoning_effort"] = effort
        return effort
    if asked.mode is None and dialect.thinking_switch != "none":
        _write_switch(body, Reasoning("on"), dialect, log)
        log.approximated("reasoning.effort", "this upstream can only switch thinking on or off")
    else:
        log.dropped("reasoning.effort", "this upstream takes no effort")
    return None


def _known_effort(effort: str, dialect: Dialect, log: LossLog) -> str | None:
    """``effort`` in a word that this upstream knows."""
    known = listed(dialect.efforts)
    if not known or effort in known or effort == dialect.thinking_off:
        return effort
    sent = nearest_effort(effort, known)
    if sent is None:
        log.dropped("reasoning.effort", f"this upstream knows no effort {effort!r}")
    else:
        log.approximated("reasoning.effort", f"sent as {sent}")
    return sent


def _write_switch(body: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> bool:
    """Turn thinking on or off, where there is a switch and something was said about it."""
    mode = asked.mode
    if mode is None or dialect.thinking_switch == "none":
        return False
    sent = mode if mode in _SWITCHES else "on"
    if dialect.thinking_switch == "enable_thinking":
        sent = "off" if mode == "off" else "on"
        body["enable_thinking"] = sent == "on"
        if asked.budget_tokens is not None and sent == "on":
            body["thinking_budget"] = asked.budget_tokens
    elif mode == "adaptive" and dialect.thinking_auto:
        sent = mode
        body["thinking"] = {"type": _SWITCHES["auto"]}
    else:
        body["thinking"] = {"type": _SWITCHES[sent]}
    if sent != mode:
        log.approximated("reasoning.mode", f"sent as {sent}")
    return True


def _write_object(body: Json, asked: Reasoning, log: LossLog) -> None:
    """The ``reasoning`` object: an effort or a budget, not both."""
    out: Json = {}
    if asked.effort is not None:
        out["effort"] = asked.effort
        if asked.budget_tokens is not None:
            log.dropped("reasoning.budget_tokens", "the effort is sent, and only one of them is taken")
    elif asked.budget_tokens is not None:
        out["max_tokens"] = asked.budget_tokens
    if asked.mode is not None:
        out["enabled"] = asked.mode != "off"
        if asked.mode not in ("on", "off"):
            log.approximated("reasoning.mode", "sent as on")
    if asked.display == "omitted":
        out["exclude"] = True
    elif asked.display is not None:
        log.dropped("reasoning.display", "reasoning is shown as the upstream shows it")
    write_extras(out, asked.extras, "reasoning", log)
    body["reasoning"] = out
