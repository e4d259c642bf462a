"""Tells webhooks what is due, signed, again and again until they have it or a day has passed.

One process does it, and should two ever do: a delivery is taken by one of them at a time. A webhook answers 2xx or it does not
have it. Redirects are not followed; a tenant's webhook is only called on the public internet.
"""

import asyncio
import logging
import time
from contextlib import closing

from anykey.accounts.signatures import HEADER, sign
from anykey.administration.webhooks import webhook_secret
from anykey.providers.configured import Timeouts
from anykey.storage.database import Database, whole
from anykey.storage.duty import Duty
from anykey.storage.errors import DatabaseError
from anykey.storage.webhooks import Due, is_due, note_outcome, take_due
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
AT_ONCE = 20
WAITS_S = (10, 60, 300, 1800, 7200, 21_600, 43_200)
"""After each try that failed; then it is given up."""
_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=10, idle_s=5, total_s=15)


class WebhookSender:
    """Runs on the serving process's loop; ended with `aclose`."""

    def __init__(self, client: UpstreamClient, database: Database, pepper: bytes, duty: Duty | None = None) -> None:
        self._client = client
        self._database = database
        self._pepper = pepper
        self._duty = duty or Duty(database)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="webhooks")

    async def aclose(self) -> None:
        """Stop; what was taken and not told is due again in a minute."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> int:
        """Make the deliveries that are due; returns how many there were. Raises DatabaseError."""
        due = await asyncio.to_thread(self._take)
        await asyncio.gather(*(self._deliver(one) for one in due))
        return len(due)

    async def _run(self) -> None:
        while True:
            await self._duty.until_mine()
            try:
                found = await self.look()
            except DatabaseError as error:
                _log.debug("no webhook can be told: %s", error)
                found = 0
            except Exception:  # noqa: BLE001 - logged whole; the next round may go well
                _log.exception("webhooks could not be told")
                found = 0
            if found < AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_S)

    def _take(self) -> list[Due]:
        now_s = int(time.time())
        with closing(self._database.connect()) as connection:
            if not is_due(connection, now_s):
                return []
            with whole(connection):
                return take_due(connection, now_s, AT_ONCE)

    async def _deliver(self, due: Due) -> None:
        status = await self._tell(due)
        now_s = int(time.time())
        told = status.isdigit() and status.startswith("2")
        wait_s = None if told or due.tries > len(WAITS_S) else WAITS_S[due.tries - 1]
        if wait_s is None and not told:
            _log.warning("the webhook %s was not told of %s: %s", due.webhook_id, due.id, status)
        await asyncio.to_thread(
            self._note, due.id, status, now_s if told else None, None if wait_s is None else now_s + wait_s
        )

    async def _tell(self, due: Due) -> str:
        """The status of the answer, or what went wrong."""
        body = due.body.encode()
        signature = sign(webhook_secret(due.webhook_id, self._pepper).encode(), body, int(time.time()))
        headers = (
            (b"content-type", b"application/json"),
            (b"user-agent", b"anykey"),
            (HEADER.encode(), signature.encode()),
        )
        try:
            reply = await self._client.send(
                Call("POST", due.url, headers, body, _TIMEOUTS, decode=True, public_only=due.public_only)
            )
        except (UpstreamError, ValueError) as error:
            return type(error).__name__
        reply.abort()
        return str(reply.status)

    def _note(self, delivery: str, status: str, at_s: int | None, next_s: int | None) -> None:
        with closing(self._database.connect()) as connection, whole(connection):
            note_outcome(connection, delivery, status, at_s=at_s, next_s=next_s)
