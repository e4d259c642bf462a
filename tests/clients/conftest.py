"""`--full`: every program over every protocol. Without it each program meets each foreign protocol once, in its richest test."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: a pair of a client program and a protocol that only --full runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the pairs of `--full` out; they are counted as deselected, for nothing is missing on this machine."""
    if config.getoption("--full"):
        return
    left_out = [item for item in items if "full" in item.keywords]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if "full" not in item.keywords]
