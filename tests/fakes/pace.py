"""What a test that starts a gateway need not wait for."""

import asyncio
import functools
from types import SimpleNamespace

import pytest
import uvicorn.server

from anykey.upstream import client as client_module
from anykey.upstream.dialing import tls_context


def hasten(patch: pytest.MonkeyPatch) -> None:
    """Read the root certificates once, and look 200 times a second, not ten, whether a server should stop."""

    async def doze(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.005))

    patch.setattr(client_module, "tls_context", functools.cache(tls_context))
    patch.setattr(uvicorn.server, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": doze}))
