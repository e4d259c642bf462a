"""What the lowest folders may not do: wait, open, log, or ask what time it is. And what no codec may know: a vendor."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, PURE, ROOT, imported, name, python_files, tree

# importlib.resources is not among them: it is how providers/load.py reads the package's own catalogue.
IO = {
    "asyncio", "concurrent", "ctypes", "http", "logging", "multiprocessing", "os", "queue", "random", "secrets",
    "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading",
    "time", "urllib.request", "uvloop", "httptools", "sqlalchemy",
}  # fmt: skip
CLOCK_CALLS = re.compile(r"\b(?:datetime|date)\.(?:now|utcnow|today)\(")
FOREIGN = {"pydantic", "fastapi", "starlette", "httpx", "httpx2", "requests", "aiohttp"}
# Protocols are called after the vendors that published them; the last two rows are no vendors.
PROTOCOL_FAMILIES = {"openai", "anthropic", "gemini", "bedrock", "custom", "demo"}
# Names of rows that are ordinary words too, and one that is part of a field on the wire (x_groq).
OTHER_MEANINGS = {"inference", "step", "synthetic", "groq"}

PURE_FILES = tuple(path for path in python_files("src") if path.relative_to(PACKAGE).parts[0] in PURE)
PROTOCOL_FILES = tuple(path for path in PURE_FILES if path.relative_to(PACKAGE).parts[0] == "protocols")


def vendors() -> set[str]:
    """The ids of the catalogue that are a vendor's name, the first word of each: `byteplus`, `kimi` …"""
    rows = sorted((PACKAGE / "providers" / "catalogue").glob("*.toml"))
    ids = (str(tomllib.loads(row.read_text(encoding="utf-8")).get("id", row.stem)) for row in rows)
    return {identity.split("_")[0] for identity in ids} - PROTOCOL_FAMILIES - OTHER_MEANINGS


def words_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Every identifier and string of a file with its line; docstrings and comments are prose and may name a vendor."""
    # A docstring is a string that is a statement; so is the text under a constant that documents it.
    prose = {id(node.value) for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", PURE_FILES, ids=name)
def test_the_lowest_folders_do_no_io_and_read_no_clock(path: Path) -> None:
    forbidden = {module for module in imported(path) if module in IO or module.split(".")[0] in IO}
    assert not forbidden
    assert not CLOCK_CALLS.search(path.read_text(encoding="utf-8")), "reads the clock"


@pytest.mark.parametrize("path", PROTOCOL_FILES, ids=name)
def test_no_vendor_is_named_in_a_codec(path: Path) -> None:
    named = vendors()
    found = [
        f"{name(path)}:{line} {word}"
        for line, word in words_of_code(path)
        if named & set(re.split(r"[^a-z0-9]+", word.lower()))
    ]
    assert not found, "a vendor's quirk is a field of the protocol's Dialect"


def test_the_catalogue_names_vendors_to_look_for() -> None:
    assert "deepseek" in vendors()


# What only operators need may be made with these; it is loaded when the first of them comes (server/admin/mount.py).
OF_THE_ADMIN_API = {"fastapi", "pydantic", "starlette"}
ADMIN_API = PACKAGE / "server" / "admin"


def test_no_web_framework_in_the_package_but_in_the_admin_api() -> None:
    found = {
        (name(path), module)
        for path in python_files("src")
        for module in imported(path)
        if module.split(".")[0] in (FOREIGN - OF_THE_ADMIN_API if path.is_relative_to(ADMIN_API) else FOREIGN)
    }
    assert not found


def test_nobody_outside_the_admin_api_imports_what_loads_the_framework() -> None:
    """Two of its modules come without the framework; the others are loaded by the first of these."""
    light = ("anykey.server.admin.mount", "anykey.server.admin.caller")
    heavy = {
        (name(path), module)
        for path in python_files("src")
        if not path.is_relative_to(ADMIN_API)
        for module in imported(path)
        if module.startswith("anykey.server.admin.") and not module.startswith(light)
    }
    assert not heavy


def test_the_serving_process_loads_none_of_what_only_some_need() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, anykey.server.process; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    heavy = {"fastapi", "pydantic", "starlette", "psycopg", "valkey", "yaml", "sqlalchemy", "alembic"}
    assert not heavy & set(loaded)


def test_no_other_web_framework_in_the_runtime_lock() -> None:
    """But FastAPI and what it stands on, for the admin API alone (the tests above)."""
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    assert not (FOREIGN - OF_THE_ADMIN_API) & set(re.findall(r"^([a-z0-9_.-]+)==", lock, re.MULTILINE))
