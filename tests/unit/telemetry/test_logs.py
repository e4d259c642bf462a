"""The process's logging: its level, and no access lines."""

import logging

import pytest

from anykey.telemetry.logs import configure_logs


@pytest.fixture(autouse=True)
def restore() -> object:
    """Leave logging as it was found."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before = root.level, list(root.handlers), access.disabled
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    access.disabled = before[2]


def test_level_and_silence() -> None:
    logging.getLogger().handlers.clear()
    configure_logs("info")
    assert logging.getLogger().level == logging.INFO
    assert logging.getLogger("uvicorn.access").disabled
    assert logging.getLogger("uvicorn.error").level == logging.WARNING
