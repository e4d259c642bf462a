"""Most tests here start a gateway; reading all root certificates each time would take longer than the test."""

import functools
from collections.abc import Iterator

import pytest

from anykey.upstream import client as client_module
from anykey.upstream.dialing import tls_context


@pytest.fixture(autouse=True, scope="session")
def read_the_roots_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "tls_context", functools.cache(tls_context))
        yield
