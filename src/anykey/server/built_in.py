"""The built-in model's server, which runs from the first configuration that has it until the gateway stops."""

from anykey.demo.serve import DemoServer
from anykey.settings import Settings


class BuiltIn:
    """Its address and token stay the same across reloads, so that calls under way end as they began."""

    def __init__(self) -> None:
        self._server: DemoServer | None = None
        self._address = ""

    async def join(self, settings: Settings) -> Settings:
        """Return `settings` with its address and token where a provider is built in, starting it if it does not run yet."""
        if not any(provider.kind.built_in for provider in settings.providers):
            return settings
        if self._server is None:
            server = DemoServer()
            self._address = await server.start()
            self._server = server
        return settings.with_demo(self._address, self._server.token)

    async def stop(self) -> None:
        """End it, and every answer of it that is under way."""
        if self._server is not None:
            await self._server.stop()
