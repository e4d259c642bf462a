"""The losses of one exchange as the text of one column: a JSON array, at most 200 of them in at most 32 KB.

What does not fit is left out from there on, and the last entry says how many that were.
"""

import msgspec

from anykey.conversation.losses import Loss

MOST_LOSSES = 200
MOST_BYTES = 32 * 1024
_LAST_ENTRY_BYTES = 256
_decoder = msgspec.json.Decoder(tuple[Loss, ...])


def pack(losses: tuple[Loss, ...]) -> str:
    """The column's text for `losses`, in order."""
    whole = msgspec.json.encode(losses)
    if len(losses) <= MOST_LOSSES and len(whole) <= MOST_BYTES:
        return whole.decode()
    kept: list[Loss] = []
    room = MOST_BYTES - _LAST_ENTRY_BYTES
    for loss in losses[: MOST_LOSSES - 1]:
        room -= len(msgspec.json.encode(loss)) + 1
        if room < 0:
            break
        kept.append(loss)
    kept.append(Loss("dropped", "losses", f"{len(losses) - len(kept)} more are not listed", "response"))
    return msgspec.json.encode(kept).decode()


def unpack(text: str | None) -> tuple[Loss, ...] | None:
    """The losses in the column's `text`; None for none."""
    return None if text is None else _decoder.decode(text)
