"""Bring your own payment: a server that takes payments tells us of each by one signed call, and the wallet has it at once.

The body is JSON: {"id": "the payment's own id", "organisation": "id or name", "amount": "25.00"}, with "bonus": true for what
nobody paid for and a "note" if wanted; amounts are USD, as text. The signature is that of accounts/signatures.py. The id is the
transfer's reference: sent again, however often, it counts once. Without a secret, or with one that could be guessed, the route is
off, and nothing is checked at all.
"""

import time

import msgspec

from anykey.accounts.amounts import nano_of
from anykey.accounts.permissions import Actor
from anykey.accounts.signatures import OLDEST_S, SignatureRefused, check
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.wallets import Posted, Said, give_bonus, top_up

SECRET_CHARACTERS_MIN = 16
PAYMENTS = Actor("signed top-up", "operator")


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    organisation: str
    amount: str
    bonus: bool = False
    note: str | None = None


def signed_top_up(home: Home, secret: str, signature: str | None, body: bytes, now_s: float | None = None) -> Posted:
    """Do what a signed call says. `signature` is its `x-anykey-signature`; `secret` what the operator set, empty where it is off.

    Raises AdministrationError (code topups.…, wallets.… or organisations.not_found).
    """
    if not secret:
        raise AdministrationError("topups.off")
    if len(secret) < SECRET_CHARACTERS_MIN:
        raise AdministrationError("topups.weak_secret", min=SECRET_CHARACTERS_MIN)
    try:
        check(secret.encode(), signature, body, time.time() if now_s is None else now_s)
    except SignatureRefused as refused:
        raise AdministrationError(f"topups.{refused.code}", minutes=OLDEST_S // 60) from None
    try:
        event = msgspec.json.decode(body, type=_Event)
        amount_nano = nano_of(event.amount)
    except (msgspec.DecodeError, ValueError) as error:
        raise AdministrationError("topups.bad_event", reason=error) from None
    if not event.id:
        raise AdministrationError("topups.bad_event", reason="no id")
    move = give_bonus if event.bonus else top_up
    return move(home, event.organisation, amount_nano, said=Said(event.id, event.note), actor=PAYMENTS)
