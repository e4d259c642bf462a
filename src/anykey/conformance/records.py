"""What a run found: a cell for each protocol, feature and mode."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import msgspec

from anykey.conversation.parts import ProtocolName

Outcome = Literal[
    "pass",  # the answer keeps to the protocol and shows what was asked
    "fail",  # it does not
    "unclear",  # it keeps to the protocol, and the model did something else; or it was too busy to answer
    "unsupported",  # refused, in the protocol's own way
    "absent",  # the protocol has no such thing
]
Mode = Literal["whole", "stream"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Verdict(NamedTuple):
    """``reason`` is one plain English clause, empty for a pass that the answer itself shows."""

    outcome: Outcome
    reason: str = ""


PASS = Verdict("pass")
COUNTED = Verdict("pass", "the answer does not show it, the count of input tokens does")


class Cell(msgspec.Struct, frozen=True):
    """``request_id`` is the gateway's own id of the last call, None where it told none."""

    protocol: ProtocolName
    feature: str
    mode: Mode
    outcome: Outcome
    reason: str = ""
    request_id: str | None = None


class Report(msgspec.Struct, frozen=True):
    """``calls``: how many HTTP requests were sent."""

    url: str
    model: str
    calls: int
    cells: tuple[Cell, ...]

    @property
    def kept(self) -> bool:
        """Nothing failed, and at least one protocol answers at all."""
        answers = any(cell.feature == "text" and cell.outcome == "pass" for cell in self.cells)
        return answers and not any(cell.outcome == "fail" for cell in self.cells)

    def counts(self) -> dict[Outcome, int]:
        """How many cells have each outcome, in the order of ``OUTCOMES``."""
        return {outcome: sum(cell.outcome == outcome for cell in self.cells) for outcome in OUTCOMES}
