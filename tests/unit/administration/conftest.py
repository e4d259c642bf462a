"""What the tests of tenants share."""

from pathlib import Path

import pytest

from tests.unit.administration.tenancy import Tenancy


@pytest.fixture(scope="session")
def first_tenancy(tmp_path_factory: pytest.TempPathFactory) -> Tenancy:
    """Made once: it takes a second."""
    return Tenancy(tmp_path_factory.mktemp("tenancy"))


@pytest.fixture
def tenancy(first_tenancy: Tenancy, tmp_path: Path) -> Tenancy:
    """Two organisations with members of every role, in a data directory of the test's own."""
    return first_tenancy.copied(tmp_path / "home")
