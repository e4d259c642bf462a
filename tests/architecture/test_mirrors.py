"""Every module with logic has its unit tests at the mirrored place, so that nobody has to look for them.

`src/anykey/a/b.py` is tested by `tests/unit/a/test_b.py`, and the functions of `src/anykey/a/__init__.py` by
`tests/unit/a/test_init.py`. Records, tables and constants (no function of their own) need none; migrations are tested
by running them (`tests/unit/storage/test_migrate.py`).
"""

import ast
from pathlib import Path

from tests.architecture.sources import PACKAGE, ROOT, functions, name, python_files

# Modules whose behaviour is tested from elsewhere, with the reason. This list may only shrink.
EXCEPTIONS: dict[str, str] = {}


def is_a_sign(statement: ast.stmt) -> bool:
    """A docstring, `...` or `pass`: what the functions of a port consist of."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def has_logic(path: Path) -> bool:
    """Whether a module has a function whose body does something."""
    return any(not is_a_sign(statement) for function in functions(path) for statement in function.body)


def mirror(path: Path) -> Path:
    """Where the unit tests of a module are."""
    inside = path.relative_to(PACKAGE)
    stem = "init" if inside.stem == "__init__" else inside.stem.strip("_")
    return ROOT / "tests" / "unit" / inside.parent / f"test_{stem}.py"


MIRRORS = {
    name(path): mirror(path)
    for path in python_files("src")
    if has_logic(path) and "migrations" not in path.parts and path.name != "__main__.py"
}


def test_a_module_with_logic_has_mirrored_unit_tests() -> None:
    missing = [name(tests) for module, tests in MIRRORS.items() if module not in EXCEPTIONS and not tests.is_file()]
    assert not missing


def test_an_exception_is_still_one() -> None:
    stale = [module for module in EXCEPTIONS if module not in MIRRORS or MIRRORS[module].is_file()]
    assert not stale
