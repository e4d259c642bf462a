"""Asks every provider for its models: once when the gateway is up, then every few hours. Whatever fails, the old list stays.

Law: nobody waits for this, and of several processes one asks. A failure is one line in the log, and is said again only when it
changes. A list that differs moves the configuration generation, as every change does, and that is how the serving process comes
to know it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from anykey.administration.models import is_asked_unbidden, refresh_all
from anykey.providers.configured import ProviderSettings
from anykey.storage.database import Database
from anykey.storage.duty import Duty
from anykey.upstream.client import UpstreamClient

_log = logging.getLogger(__name__)


class Discovery:
    """Runs on the serving process's loop; ended with `aclose`."""

    def __init__(self, client: UpstreamClient, database: Database, duty: Duty | None = None) -> None:
        self._client = client
        self._database = database
        self._duty = duty or Duty(database)
        self._problems: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, providers: Callable[[], Iterable[ProviderSettings]], hours: int) -> None:
        """Begin, with the providers there are at each round; `hours` 0: not at all, for nobody is asked then."""
        if hours:
            self._task = asyncio.get_running_loop().create_task(self._run(providers, hours * 3600), name="discovery")

    async def aclose(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self, providers: Iterable[ProviderSettings]) -> None:
        """One round."""
        asked = [provider for provider in providers if is_asked_unbidden(provider)]
        results = await refresh_all(self._client, self._database, asked)
        for result in results:
            problem, before = result.problem, self._problems.pop(result.provider, None)
            if problem is not None:
                self._problems[result.provider] = problem
                if problem != before:
                    _log.warning("the models of %s are not known anew: %s", result.provider, problem)

    async def _run(self, providers: Callable[[], Iterable[ProviderSettings]], every_s: float) -> None:
        while True:
            await self._duty.until_mine()
            try:
                await self.look(providers())
            except Exception:  # noqa: BLE001 - logged whole; the next round may go well
                _log.exception("the providers' models could not be looked at")
            await asyncio.sleep(every_s)
