"""The single members of a gateway config's nodes, each read with its bounds; `config.py` has the whole."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import msgspec

from anykey.protocols.fields import Fields
from anykey.routing.tree import Retry

LONGEST_NAME = 256
_MOST_ATTEMPTS = 5
_LARGEST_WEIGHT = 1_000_000
_LONGEST_TIMEOUT_MS = 24 * 3600 * 1000
_FIXED = ("stream", "messages", "input", "contents", "previous_response_id", "conversation", "background")
"""What no override may change: the answer's framing, what is said, and what is gone on from. Whose a kept response is was looked
at in the caller's own request; a provider would show it to any key of ours."""


class ConfigError(ValueError):
    """The config cannot be meant: `path` is the member at fault (`targets[1].weight`), `what` is wrong with it. `needs_admin`:
    nothing, had it been said by who may."""

    def __init__(self, path: str, what: str, *, needs_admin: bool = False) -> None:
        super().__init__(f"{path}: {what}" if path else what)
        self.path = path
        self.what = what
        self.needs_admin = needs_admin


def read_provider(fields: Fields) -> str | None:
    said = fields.text("provider"), fields.text("virtual_key")  # Portkey's older word for the same slug
    provider = (said[0] or said[1] or "").removeprefix("@")
    if "/" in provider or len(provider) > LONGEST_NAME:
        raise ConfigError(fields.at("provider"), "expected a provider's name, such as @byteplus")
    return provider or None


def read_overrides(fields: Fields) -> tuple[str | None, dict[str, bytes]]:
    """`model` and `override_params`: the model of this node, and the fields that its calls get set, as JSON."""
    said = dict(fields.object("override_params") or {})  # the caller's own goes on being what was written
    at = fields.at("override_params")
    for name in said:
        if name in _FIXED:
            raise ConfigError(f"{at}.{name}", "this field cannot be overridden")
    model = said.pop("model", None)
    if model is not None and not (isinstance(model, str) and len(model) <= LONGEST_NAME and model.isprintable()):
        raise ConfigError(f"{at}.model", f"expected a name of at most {LONGEST_NAME} printable characters")
    own = read_text(fields, "model") or model or None
    try:
        return own, {name: msgspec.json.encode(value) for name, value in said.items()}
    except TypeError:
        raise ConfigError(at, "a date is no JSON value") from None


def read_retry(fields: Fields) -> Retry | None:
    said = fields.nested("retry")
    if said is None:
        return None
    attempts = said.integer("attempts") or 0
    said.any("use_retry_after_headers")  # they always are
    retry = Retry(attempts, read_statuses(said))
    if not 0 <= attempts <= _MOST_ATTEMPTS:
        raise ConfigError(said.at("attempts"), f"from 0 to {_MOST_ATTEMPTS}")
    if said.rest():
        raise ConfigError(said.at(next(iter(said.rest()))), "this is not known here")
    return retry


def read_statuses(fields: Fields) -> frozenset[int]:
    """`on_status_codes`; empty where it is not said."""
    statuses = fields.array("on_status_codes") or []
    for number, status in enumerate(statuses):
        if type(status) is not int or not 100 <= status <= 599:
            raise ConfigError(f"{fields.at('on_status_codes')}[{number}]", "expected an HTTP status")
    return frozenset(statuses)


def read_timeout_s(fields: Fields) -> float | None:
    """`request_timeout` is in milliseconds, as Portkey's is."""
    said = fields.number("request_timeout")
    if said is not None and not 1 <= said <= _LONGEST_TIMEOUT_MS:
        raise ConfigError(fields.at("request_timeout"), f"expected milliseconds, from 1 to {_LONGEST_TIMEOUT_MS}")
    return None if said is None else said / 1000


def whole_weights(said: list[Any], children: list[Fields]) -> list[int]:
    """Whole weights in the same proportions: Portkey's may be fractions."""
    exact: list[Fraction] = []
    for weight, child in zip(said, children, strict=True):
        number = 1 if weight is None else weight
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= _LARGEST_WEIGHT:
            raise ConfigError(child.at("weight"), f"expected a number from 0 to {_LARGEST_WEIGHT}")
        exact.append(Fraction(number).limit_denominator(10_000))
    scale = math.lcm(*(weight.denominator for weight in exact))
    return [int(weight * scale) for weight in exact]


def read_text(fields: Fields, name: str) -> str:
    text = fields.text(name) or ""
    if len(text) > LONGEST_NAME and name != "custom_host":
        raise ConfigError(fields.at(name), f"at most {LONGEST_NAME} characters")
    if not text.isprintable():  # it will stand in headers and in the log
        raise ConfigError(fields.at(name), "it must be printable")
    return text
