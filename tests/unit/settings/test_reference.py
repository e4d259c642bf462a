"""The reference pages and the code name the same sections, keys and defaults, in both languages."""

import re
from pathlib import Path

import pytest

from anykey.settings.schema import SECTIONS

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ["en", "zh-CN"]


def _documented(language: str) -> dict[str, dict[str, str]]:
    """Return section -> key -> default from the page: a `## [section]` heading, then rows of a table."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in (DOCS / language / "reference" / "settings.md").read_text("utf-8").splitlines():
        if heading := re.match(r"## `\[*(.+?)\]*`", line):
            section = heading[1]
            found[section] = {}
        elif row := re.match(r"\| `(\w+)` \| (.*?) \|", line):
            found[section][row[1]] = row[2].strip("`")
    return found


@pytest.mark.parametrize("language", PAGES)
def test_the_same_sections_and_keys(language: str) -> None:
    documented = {section: list(keys) for section, keys in _documented(language).items()}
    assert documented == {section: list(keys) for section, keys in SECTIONS.items()}


@pytest.mark.parametrize("language", PAGES)
def test_the_same_defaults(language: str) -> None:
    for section, keys in SECTIONS.items():
        for name, key in keys.items():
            if key.default not in {None, ()}:
                default = str(key.default).lower() if isinstance(key.default, bool) else key.default
                written = _documented(language)[section][name]
                assert written in {str(default), f"{default:g}" if isinstance(default, float) else f'"{default}"'}, name
