"""The documents keep to the code and to each other: both languages, links that lead somewhere, no machine's paths."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT, name, project_files

DOCS = ROOT / "docs"
ENGLISH = tuple(sorted((DOCS / "en").rglob("*.md")))
PAIRS = (
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *((p, DOCS / "zh-CN" / p.relative_to(DOCS / "en")) for p in ENGLISH),
)
PAGES = tuple(path for path in project_files() if path.suffix == ".md" and "golden" not in path.parts)
# A home of someone's, or a folder above a checkout. Documents write ~ or $HOME; tests that need a home invent "dev".
MACHINE_PATH = re.compile(r"(?<![\w.~$-])/(?:root|work|(?:home|Users)/(?!dev/)\w+)/[\w.]")


def fences(page: Path) -> list[str]:
    """The languages of a page's fenced blocks, in order."""
    return re.findall(r"^```(\S+)\n", page.read_text(encoding="utf-8"), re.MULTILINE)


def heading_levels(page: Path) -> list[int]:
    """The depth of each heading, in order; a `#` inside a fenced block is none."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """What a link can name of a page: its headings in lower case, without punctuation, with dashes for spaces."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_both_languages_have_the_same_pages() -> None:
    chinese = {path.relative_to(DOCS / "zh-CN") for path in (DOCS / "zh-CN").rglob("*.md")}
    assert chinese == {path.relative_to(DOCS / "en") for path in ENGLISH}
    assert chinese


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=name)
def test_a_page_has_the_same_parts_in_both_languages(english: Path, chinese: Path) -> None:
    assert heading_levels(chinese) == heading_levels(english)
    assert fences(chinese) == fences(english)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [target for target in targets if not (page.parent / target).exists()]
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    pages = [(page.parent / file if file else page, anchor) for file, anchor in targets]
    broken = [f"{file.name}#{anchor}" for file, anchor in pages if file.suffix == ".md" and anchor not in anchors(file)]
    assert not broken


def test_no_file_names_a_path_of_someones_machine() -> None:
    found = [
        f"{name(path)}: {match.group()}"
        for path in project_files()
        if path.suffix in {".py", ".md", ".toml", ".sh", ".lock", ".txt", ""}
        for match in MACHINE_PATH.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    headings = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert headings[:1] == ["Unreleased"]
    assert version in headings or headings == ["Unreleased"]


def test_a_decision_has_its_own_number_and_says_what_follows() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert all(f"\n## {part}\n" in text for part in ("Context", "Decision", "Consequences")), record.name


def test_both_languages_of_the_program_say_the_same_things() -> None:
    languages = {path.stem: path.read_text(encoding="utf-8") for path in (PACKAGE / "language").glob("*.toml")}
    assert set(languages) == {"en", "zh-CN"}
    codes = [re.findall(r'^(\[.+\]|[\w."-]+(?= *=))', text, re.MULTILINE) for text in languages.values()]
    assert sorted(codes[0]) == sorted(codes[1])
