"""Most tests here start a gateway of their own."""

from collections.abc import Iterator

import pytest

from tests.fakes.pace import hasten


@pytest.fixture(autouse=True, scope="package")
def quick_gateways() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        hasten(patch)
        yield
