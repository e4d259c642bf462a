"""The composition root: wires settings, storage, upstream and the journey together and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn
import uvloop

from anykey.accounts.networks import networks_of
from anykey.administration.home import Home
from anykey.administration.known_models import known_models
from anykey.exchange.gateway import Gateway
from anykey.exchange.named_calls import NamedCalls
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.shadow import end_shadows
from anykey.exchange.steps import FAREWELL_S
from anykey.providers.secret import Secret
from anykey.routing.building import build_snapshot
from anykey.routing.snapshot import Snapshot
from anykey.server.admin.caller import Premises
from anykey.server.admin.mount import AdminMount
from anykey.server.built_in import BuiltIn
from anykey.server.client_socket import ClientSocket
from anykey.server.connection import ClientConnection
from anykey.server.inference import InferencePlane
from anykey.server.jobs import Jobs
from anykey.server.limiting import Crew, shared_limiter
from anykey.server.reload import Reloader, Sources
from anykey.settings import Settings
from anykey.settings.records import ServerSettings
from anykey.storage.body_writer import BodyWriter
from anykey.storage.configs import load_configs
from anykey.storage.rate_cards import load_cards
from anykey.storage.shared_health import HealthPlaces
from anykey.storage.till import Till
from anykey.storage.watch import KeyWatch
from anykey.storage.writer import ExchangeWriter
from anykey.upstream.client import UpstreamClient
from anykey.upstream.proxy import ProxySettings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 2048
IDLE_CLIENT_S = 75
"""A client's idle connection is kept this long; SDKs reuse theirs for about a minute."""
TOPUP_VARIABLE = "ANYKEY_TOPUP_SECRET"
"""The secret by which a server that takes payments signs what it tells us; without it nobody can."""
GRACE_S = 30
"""On SIGTERM, answers under way may take this long; what is left is then told that the gateway stops."""


class Address(NamedTuple):
    """Where a gateway listens. ``host`` is as bound; ``url`` is what to give a client on this machine."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return (
            f"http://[{host}]:{self.port}" if ":" in host and not host.startswith("[") else f"http://{host}:{self.port}"
        )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class Serving:
    """One running gateway on ``listener``, in the event loop that runs it. ``environ`` is read for HTTP proxies. ``load`` reads
    the configuration again; without it, the gateway keeps what it was started with."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        environ: Mapping[str, str],
        listener: socket.socket,
        load: Callable[[], Settings] | None = None,
    ) -> None:
        self._settings = settings
        self._load = load
        self._home = home
        self._environ = environ
        self._listener = listener
        self._server: _Server | None = None

    async def run(self, ready: Callable[[Address], None]) -> None:
        """Serve until SIGTERM, SIGINT, ``stop`` or the end of the terminal. ``ready`` is called when the first request would be
        answered."""
        built_in = BuiltIn()
        settings = await built_in.join(self._settings)
        upstream = UpstreamClient(
            ca_file=settings.upstream.ca_file, proxies=ProxySettings.from_environment(self._environ)
        )
        recorder = ExchangeWriter(self._home.database)
        keys = KeyWatch(self._home.database)
        health = HealthPlaces(self._home.database, settings.valkey, self._home.pepper).share()
        crew, named_calls = Crew(self._home.database), NamedCalls(self._home.database)
        till = Till(self._home.database, durability=settings.ledger.durability)
        memory = ResponseMemory(self._home.database, settings.responses, process_id=till.process_id)
        bodies = BodyWriter(self._home.database, self._home.pepper, settings.logging.max_body_bytes)
        gateway = Gateway(
            snapshot=self._snapshot(settings),
            keys=keys,
            pepper=self._home.pepper,
            upstream=upstream,
            recorder=recorder,
            keepalive_s=settings.server.keepalive_s,
            memory=memory,
            health=health,
            limiter=shared_limiter(self._home.database, settings.valkey, crew),
            trusted_proxies=networks_of(settings.server.trusted_proxies),
            named_calls=named_calls,
            till=till,
            bodies=bodies,
            every_call=settings.ledger.every_call,
            assumed_output_tokens=settings.ledger.assumed_output_tokens,
        )
        plane = InferencePlane(gateway, settings.server.max_body_bytes, self._admin(gateway))
        jobs = Jobs(upstream, self._home)
        reloader = self._reloader(gateway, built_in)
        self._server = _Server(_uvicorn_config(plane, settings.server), self._listener, ready, reloader)
        try:
            till.begin()
            await memory.begin()
            jobs.start(gateway, settings)
            async with _running(reloader):
                await self._server.serve(sockets=[self._listener])
                await self._server.last_words()
        finally:
            await jobs.aclose()
            await named_calls.aclose()  # what goes on without its client may end
            await memory.aclose()  # while its background calls can still be ended as calls
            await end_shadows(gateway)
            await upstream.aclose()
            # After the last call; side by side, for a database that does not answer holds up each for seconds.
            await asyncio.gather(
                *(part.aclose() for part in (till, gateway.limiter, crew, recorder, jobs.duty, bodies)),
                asyncio.to_thread(keys.close),
                asyncio.to_thread(health.close),
            )
            await built_in.stop()

    def stop(self) -> None:
        """Take no new connection, let what is under way end, then ``run`` returns."""
        if self._server is not None:
            self._server.should_exit = True

    def _snapshot(self, settings: Settings) -> Snapshot:
        database = self._home.database
        known = known_models(database, settings)
        return build_snapshot(settings, *known, load_configs(database), load_cards(database))

    def _admin(self, gateway: Gateway) -> AdminMount:
        secret = Secret(self._environ.get(TOPUP_VARIABLE, "").strip())
        load = self._load or (lambda: self._settings)
        return AdminMount(Premises(gateway, self._home, load, secret, self._settings.valkey))

    def _reloader(self, gateway: Gateway, built_in: BuiltIn) -> Reloader | None:
        if self._load is None:
            return None
        sources = Sources(self._load, built_in.join, self._snapshot)
        return Reloader(gateway, self._settings, sources, self._home.database)


def run(serving: Serving, ready: Callable[[Address], None]) -> None:
    """Serve in this thread, on a uvloop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving.run(ready))


def _on_a_terminal() -> bool:
    """Whether a SIGHUP is a terminal that was closed. Elsewhere it is how an operator has the configuration read again."""
    return os.isatty(0) or os.isatty(1)


def _uvicorn_config(plane: InferencePlane, settings: ServerSettings) -> uvicorn.Config:
    return uvicorn.Config(
        plane,  # pyright: ignore[reportArgumentType] - a raw ASGI application; uvicorn types scopes as closed TypedDicts
        http=ClientConnection,
        ws=ClientSocket if settings.responses_websocket else "none",
        ws_max_size=settings.max_body_bytes,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_CLIENT_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )


@asynccontextmanager
async def _running(reloader: Reloader | None) -> AsyncGenerator[None]:
    """Let it look for changes meanwhile."""
    task = asyncio.create_task(reloader.run()) if reloader is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))


class _Server(uvicorn.Server):
    """uvicorn's server that says when it listens, and that outlives the signal that stops it: uvicorn itself raises the
    signal again when it is done, which would end the process before the last usage rows are written."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        ready: Callable[[Address], None],
        reloader: Reloader | None,
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._ready = ready
        self._reloader = reloader

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        heard: list[signal.Signals] = list(STOP_SIGNALS)
        if self._reloader is not None and (nohup or not _on_a_terminal()):
            loop.add_signal_handler(signal.SIGHUP, self._reloader.ask)
        elif not nohup:
            heard.append(signal.SIGHUP)
        for number in heard:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (*heard, signal.SIGHUP):
                loop.remove_signal_handler(number)
            if nohup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def last_words(self) -> None:
        """Wait for the calls that the end of the grace period cut off: they tell their clients and leave their rows."""
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=2 * FAREWELL_S)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            gc.collect()
            gc.freeze()  # what is here now stays: the collector need not walk it for every few thousand requests
            host, port = self._listener.getsockname()[:2]
            self._ready(Address(host, port))
