"""A provider's credentials: in which order they are tried for one call, and by which name their health is known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from anykey.providers.configured import StoredCredential

_BELOW_ONE = 1.0 - 2.0**-53


def in_order(credentials: Sequence[StoredCredential], roll: float) -> list[StoredCredential]:
    """All of them, each first in proportion to its weight: `roll` in [0, 1) decides, so the same roll has the same order. Those
    of weight 0 come last, whoever is first."""
    left = list(credentials)
    chosen: list[StoredCredential] = []
    while total := sum(credential.weight for credential in left):
        point = roll * total
        picked = left[0]
        for picked in left:
            if point < picked.weight:
                break
            point -= picked.weight
        # What is left of the roll is as even as the roll was, so it decides the next place too.
        roll = min(point / picked.weight, _BELOW_ONE) if picked.weight else 0.0
        left.remove(picked)
        chosen.append(picked)
    return chosen + left


def mark_of(credential: StoredCredential | None, provider: str) -> str:
    """The credential's id and, behind a blank, a few digits by which another secret under this id is told apart: what was wrong
    with the old one is not held against the new one. (Eight digits of a hash give nothing away of a secret worth the name.)"""
    if credential is None:
        return f"{provider}#none"
    return f"{credential.id} {hashlib.sha256(credential.secret.reveal().encode()).hexdigest()[:8]}"


def id_of(mark: str) -> str:
    """The credential's id in its mark."""
    return mark.partition(" ")[0]
