"""Budgets: a file, a function and a parameter list stay small enough to be read at once."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import functions, name, python_files, type_of_function

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
PARAMETERS = 6


def parameters(function: type_of_function) -> int:
    """How many parameters a caller sees: `self` and `cls` are not counted."""
    listed = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return sum(argument.arg not in {"self", "cls"} for argument in listed)


def too_long(function: type_of_function) -> bool:
    """Whether a function is over budget, its docstring not counted: a long explanation is no fault."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring > LINES_OF_A_FUNCTION


@pytest.mark.parametrize("path", python_files("src", "tests", "bench"), ids=name)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_A_FILE


@pytest.mark.parametrize("path", python_files("src"), ids=name)
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    long = [f"{name(path)}:{f.lineno} {f.name}" for f in functions(path) if too_long(f)]
    wide = [f"{name(path)}:{f.lineno} {f.name}" for f in functions(path) if parameters(f) > PARAMETERS]
    assert not long, f"over {LINES_OF_A_FUNCTION} lines"
    assert not wide, f"over {PARAMETERS} parameters"


def test_the_budgets_notice_a_function_that_is_over_them() -> None:
    body = "\n".join(f"    x = {n}" for n in range(LINES_OF_A_FUNCTION))
    source = ast.parse(f"def f(a, b, c, *, d, e, g, h):\n{body}\n")
    function = next(node for node in ast.walk(source) if isinstance(node, ast.FunctionDef))
    assert too_long(function)
    assert parameters(function) == 7
