"""`POST /admin/v1/topups/signed`: a payment that a server of the operator's tells of (administration/topup_signature.py).

It comes without a key, so it stands beside the router and not in it; its signature is what lets it in.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.administration.errors import AdministrationError
from anykey.server.admin.caller import Premises
from anykey.server.admin.refusals import Refusal, refusal_of
from anykey.storage.errors import DatabaseError, StorageError

_log = logging.getLogger(__name__)

STATUSES = {
    "topups.off": 404,
    "topups.weak_secret": 404,
    "topups.no_signature": 401,
    "topups.wrong_signature": 401,
    "topups.too_old": 401,
}


def answer_signed(premises: Premises, signature: bytes | None, body: bytes) -> bytes:
    """Do what the signed body says; blocking. Returns the answer's JSON. Raises Refusal."""
    verb: Any = importlib.import_module("anykey.administration.topup_signature")  # it comes with SQLAlchemy
    said = None if signature is None else signature.decode("latin-1")
    try:
        posted = verb.signed_top_up(premises.home, premises.topup_secret.reveal(), said, body)
    except AdministrationError as error:
        refusal = refusal_of(error, "en")
        status = STATUSES.get(error.code, refusal.status)
        raise Refusal(status, refusal.code, refusal.message) from None
    except (DatabaseError, StorageError) as error:
        _log.error("a signed top-up cannot use the database: %s", error)
        raise Refusal(
            503, "storage_failed", "The database cannot be used now. Send it again: it counts once."
        ) from None
    transfer = posted.transfer
    told = {
        "id": transfer.id,
        "organisation": transfer.organisation,
        "reference": transfer.reference,
        "amount_usd": usd_text(transfer.amount_nano),
        "new": posted.new,
    }
    return msgspec.json.encode(told)
