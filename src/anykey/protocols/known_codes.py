"""Error codes that say exactly what went wrong, where the HTTP status beside them says too little or the wrong thing.

Servers of the OpenAI shape put them into ``error.code``. The codes are those of Ark's documented error table (byteplus.md §11):
a 429 there is a limit that passes in seconds, an account without quota, or a server without room, and only the code tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from anykey.conversation.failures import FailureKind

_BY_CODE: Mapping[str, FailureKind] = {
    "accountoverdueerror": "quota_exhausted",
    "contentsecuritydetectionerror": "content_blocked",
    "inflightbatchsizeexceeded": "rate_limited",
    "invalidaccountstatus": "upstream_refused_credential",
    "invalidendpoint.closedendpoint": "model_not_found",
    "invalidendpointormodel": "model_not_found",
    "invalidsubscription": "upstream_refused_credential",
    "modelnotopen": "model_not_found",
    "operationdenied.serviceoverdue": "quota_exhausted",
    "outofcontexterror": "context_too_long",
    "quotaexceeded": "quota_exhausted",
    "requestbursttoofast": "rate_limited",
    "serveroverloaded": "overloaded",
    "setlimitexceeded": "quota_exhausted",
    "unsupportedmodel": "model_not_found",
}
"""Lower-case; a code with a further part after a dot is looked up whole, then by its first part."""

_OF_ONE_MODEL = frozenset({"quotaexceeded"})
"""Ark gives free quota model by model; a plan's quota says the same word, and then each model tells so itself."""


def is_of_model(code: str | None) -> bool:
    """Whether ``code`` says that one model has no quota left, and nothing of the others."""
    return code is not None and code.lower() in _OF_ONE_MODEL


def kind_of_code(code: str | None) -> FailureKind | None:
    """The kind that ``code`` names; None for a code that is not known, or none."""
    if code is None:
        return None
    word = code.lower()
    return _BY_CODE.get(word) or _BY_CODE.get(word.partition(".")[0])
