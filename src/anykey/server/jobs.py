"""The jobs of one serving process, begun and ended together."""

import asyncio

from anykey.administration.home import Home
from anykey.exchange.gateway import Gateway
from anykey.jobs.discovery import Discovery
from anykey.jobs.retention import Retention
from anykey.jobs.usage_rollup import UsageRollup
from anykey.jobs.webhooks import WebhookSender
from anykey.settings import Settings
from anykey.storage.duty import Duty
from anykey.upstream.client import UpstreamClient


class Jobs:
    """What goes on beside calls. `duty` outlives the jobs: end it after them."""

    def __init__(self, upstream: UpstreamClient, home: Home) -> None:
        self.duty = Duty(home.database)
        self._discovery = Discovery(upstream, home.database, self.duty)
        self._retention = Retention(home.database, self.duty)
        self._rollup = UsageRollup(home.database, self.duty)
        self._webhooks = WebhookSender(upstream, home.database, home.pepper, self.duty)

    def start(self, gateway: Gateway, settings: Settings) -> None:
        """Begin, on the loop that runs."""
        hours = settings.server.discovery_hours
        self._discovery.start(lambda: (provider.settings for provider in gateway.snapshot.providers), hours)
        self._webhooks.start()
        self._retention.start(lambda: settings.retention)
        self._rollup.start()

    async def aclose(self) -> None:
        """End all of them."""
        jobs = (self._discovery, self._retention, self._rollup, self._webhooks)
        await asyncio.gather(*(job.aclose() for job in jobs))
