"""Who calls the admin or user API, and the house it is a part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from anykey.accounts.keys import ApiKey
from anykey.accounts.permissions import Actor
from anykey.administration.home import Home
from anykey.exchange.gateway import Gateway
from anykey.providers.secret import Secret
from anykey.settings import Settings

NO_SECRET = Secret("")
CALLER_KEY = "anykey.caller"
"""Where an operation finds its caller in the ASGI scope."""


class Premises(NamedTuple):
    """What operations work on. ``load`` reads the configuration anew, as `anykey providers check` would. ``topup_secret`` is
    shared with the server that takes payments; empty: there is none. ``valkey`` is the URL of the Valkey in use."""

    gateway: Gateway
    home: Home
    load: Callable[[], Settings]
    topup_secret: Secret = NO_SECRET
    valkey: Secret | None = None


class Caller(NamedTuple):
    """``key`` was verified; ``actor`` is whom it acts for. ``language`` is that of the answer's messages."""

    key: ApiKey
    actor: Actor
    premises: Premises
    language: str
    request_id: str

    @property
    def home(self) -> Home:
        """The data directory."""
        return self.premises.home


def caller_in(scope: Any) -> Caller:
    """The caller of an ASGI call that came through the mount."""
    found: Caller = scope[CALLER_KEY]
    return found
