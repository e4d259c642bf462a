"""Direct dependencies are few, each has its reason on record, and the lock files hold them by hash."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import ROOT

MOST_DIRECT = 17
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str]] = {
    "runtime": PROJECT["project"]["dependencies"],
    "extras": [line for lines in EXTRAS.values() for line in lines],
    **PROJECT["dependency-groups"],
}
LOCKS = {
    "runtime.lock": ("runtime", "extras"),
    "build.lock": ("build",),
    "dev.lock": ("runtime", "extras", "lint", "test", "build"),
    "release.lock": ("build", "release"),
}


def lock_text(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text(encoding="utf-8")


def pinned(lock: str) -> dict[str, set[str]]:
    """The versions a lock file holds; a universal lock may hold two of one package, for different machines."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", lock_text(lock), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


def test_the_runtime_has_few_direct_dependencies() -> None:
    assert len(GROUPS["runtime"]) <= MOST_DIRECT


def test_every_direct_dependency_has_its_line_of_reason() -> None:
    record = (ROOT / "docs" / "adr" / "0010-dependencies.md").read_text(encoding="utf-8")
    wanted = {Requirement(line).name for lines in GROUPS.values() for line in lines}
    reasoned = set(re.findall(r"^\| `([^`]+)` \| \S.*\|$", record, re.MULTILINE))
    assert reasoned == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_is_in_step_with_pyproject(lock: str) -> None:
    versions = pinned(lock)
    stale = [
        line
        for group in LOCKS[lock]
        for line in GROUPS[group]
        if not any(
            Requirement(line).specifier.contains(v) for v in versions.get(canonicalize_name(Requirement(line).name), ())
        )
    ]
    assert not stale, "run ./dev lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_by_hash_and_names_no_index(lock: str) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", lock_text(lock), flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock_text(lock)
