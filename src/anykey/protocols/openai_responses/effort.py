"""``reasoning``: how much the model thinks and what is shown of it."""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import Reasoning
from anykey.protocols.effort import effort_of
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.extras import NAME, drop_extras, own, write_extras

_SWITCHES = {"on": "enabled", "adaptive": "auto", "off": "disabled"}
_SHOWN, _HIDDEN = "summarized", "omitted"


def read_effort(fields: Fields | None, *, encrypted: bool) -> Reasoning | None:
    """The ``reasoning`` object. ``encrypted``: its encrypted form was asked for, which alone says that there is reasoning.

    Our entry among the extras is there even when it is empty: it tells ``encode_effort`` that no summary was asked for.
    """
    if fields is None:
        return Reasoning(extras={NAME: {}}) if encrypted else None
    effort = fields.text("effort")
    summary = fields.text("summary") or fields.text("generate_summary")
    fields.any("generate_summary")  # the old name of the same
    rest = fields.rest()
    if summary not in (None, "auto"):
        rest["summary"] = summary
    return Reasoning(effort=effort, display=None if summary is None else _SHOWN, extras={NAME: rest})


def encode_effort(body: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> None:
    """Ask as the upstream understands it. What is then left to the model's own default is a Loss."""
    effort = _encode_mode(body, asked, dialect, log)
    if asked.budget_tokens is not None and asked.mode != "off":
        effort = _take_budget(asked.budget_tokens, effort, log)
    out: Json = {} if effort is None else {"effort": effort}
    summary = _summary(asked)
    if summary is not None and dialect.reasoning_summary:
        out["summary"] = summary
    elif asked.display == _SHOWN:
        log.dropped("reasoning.display", "this upstream shows what it shows")
    if dialect.reasoning:
        write_extras(out, asked.extras, "reasoning", log)
        if out:
            body["reasoning"] = out
        return
    if effort is not None:
        log.dropped("reasoning.effort", "this upstream takes no effort")
    drop_extras(asked.extras, "reasoning", log)


def _encode_mode(body: Json, asked: Reasoning, dialect: Dialect, log: LossLog) -> str | None:
    """Switch thinking on or off; the effort that is left to say."""
    mode, effort = asked.mode, asked.effort
    if mode is None:
        return effort
    if dialect.thinking_switch:
        body["thinking"] = {"type": _SWITCHES.get(mode, "enabled")}
        if mode not in _SWITCHES:
            log.approximated("reasoning.mode", "sent as enabled")
        return effort
    if mode == "off":
        log.emulated("reasoning.mode", "sent as effort none")
        return _not_thinking(asked, log)
    if mode not in _SWITCHES:
        log.approximated("reasoning.mode", "only the effort is sent")
    elif effort is None and asked.budget_tokens is None:
        log.approximated("reasoning.mode", "the model thinks as much as it does by default")
    return effort


def _not_thinking(asked: Reasoning, log: LossLog) -> str:
    for key in ("effort", "budget_tokens"):
        if getattr(asked, key) not in (None, "none"):
            log.dropped(f"reasoning.{key}", "thinking is off")
    return "none"


def _take_budget(tokens: int, effort: str | None, log: LossLog) -> str:
    if effort is not None:
        log.dropped("reasoning.budget_tokens", "the effort is sent")
        return effort
    effort = effort_of(tokens)
    log.approximated("reasoning.budget_tokens", f"sent as effort {effort}")
    return effort


def _summary(asked: Reasoning) -> str | None:
    """How much of the reasoning is shown: as a Responses client said, or ``auto`` for a client of another protocol that did not
    ask to be spared it, since there is no readable reasoning without."""
    if NAME in asked.extras:
        word: str | None = own(asked.extras).get("summary")
        return word or ("auto" if asked.display == _SHOWN else None)
    if asked.display == _HIDDEN or asked.mode == "off" or asked.effort == "none":
        return None
    return "auto"
