"""A till in memory: it keeps what it was asked, and answers as it was told to."""

from collections import deque

from anykey.accounts.purse import Purse
from anykey.storage.charges import Closing, Opened, Opening, Refused

Answer = Opened | Refused | Exception


class MemoryTill:
    """`answers` are given in turn to openings and extensions; when there are none left, everything is let in."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = deque(answers)
        self.opened: list[Opening] = []
        self.extended: list[int] = []
        self.closed: list[Closing] = []

    async def open(self, opening: Opening) -> Opened | Refused:
        self.opened.append(opening)
        return self._answer()

    async def extend(self, charge_id: str, purse: Purse, more_nano: int) -> Refused | None:
        self.extended.append(more_nano)
        answer = self._answer()
        return answer if isinstance(answer, Refused) else None

    def close(self, closing: Closing) -> None:
        self.closed.append(closing)

    def _answer(self) -> Opened | Refused:
        answer = self.answers.popleft() if self.answers else Opened((), None)
        if isinstance(answer, Exception):
            raise answer
        return answer
