"""Names that say nothing gather everything, so no module or folder may have one; every module opens with its purpose."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import name, python_files, tree

SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "handler", "handlers"}


@pytest.mark.parametrize("path", python_files("src", "tests", "bench"), ids=name)
def test_the_name_of_a_module_says_what_is_in_it(path: Path) -> None:
    parts = {part.removesuffix(".py") for part in Path(name(path)).parts}
    assert not parts & SAYS_NOTHING


@pytest.mark.parametrize("path", python_files("src", "bench"), ids=name)
def test_a_module_opens_with_its_purpose(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "no docstring"
