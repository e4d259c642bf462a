"""The reference pages say what the code does: permissions, routes, headers, codes of refusals, commands and their options."""

import re
from pathlib import Path

import pytest

from anykey.accounts.written_cards import ImagesTexts, ImageTexts, LongTexts, VideoTexts, WrittenCard
from tests.architecture import cli_page
from tests.architecture.command_line import commands_in, problem_of
from tests.architecture.reference_tables import LANGUAGES, operators_only, page, table_in, tables
from tests.architecture.sources import PACKAGE, ROOT, name

DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(DOCS.glob("*/**/*.md")))
REWRITE = "python -m tests.architecture.reference_tables writes it"
HEADER = re.compile(r'b"(x-anykey-[a-z-]+)"')
SENT_BY = ("exchange", "server")
VARIABLE = re.compile(r'"(ANYKEY_[A-Z_]+)"')
CARD_RECORDS = (WrittenCard, ImagesTexts, ImageTexts, VideoTexts, LongTexts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_of_the_admin_api_are_those_of_the_code(language: str) -> None:
    text = page(language)
    for table in tables(language):
        assert table_in(text, table) == table, REWRITE


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_only_operators_may_is_listed(language: str) -> None:
    said = next(line for line in page(language).splitlines() if "`catalogue:write`" in line)
    assert re.findall(r"`([a-z_]+:[a-z]+)`", said) == operators_only()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_header_of_ours_is_explained(language: str) -> None:
    sources = [path for folder in SENT_BY for path in (PACKAGE / folder).rglob("*.py")]
    headers = {found for path in sources for found in HEADER.findall(path.read_text(encoding="utf-8"))}
    told = "".join(path.read_text(encoding="utf-8") for path in (DOCS / language).rglob("*.md"))
    assert headers
    assert not {header for header in headers if header.rstrip("-") not in told}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variable_that_is_read_is_explained(language: str) -> None:
    variables = {
        found for path in PACKAGE.rglob("*.py") for found in VARIABLE.findall(path.read_text(encoding="utf-8"))
    }
    told = "".join(path.read_text(encoding="utf-8") for path in (DOCS / language).rglob("*.md"))
    assert "ANYKEY_HOME" in variables
    assert not {variable for variable in variables if variable not in told}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_a_rate_card_is_explained(language: str) -> None:
    told = (DOCS / language / "reference" / "rate-cards.md").read_text(encoding="utf-8")
    fields = {name for record in CARD_RECORDS for name in record.__struct_fields__}
    assert not {field for field in fields if f"`{field}`" not in told}


@pytest.mark.parametrize("language", cli_page.LANGUAGES)
def test_the_page_of_the_command_line_is_what_the_commands_say(language: str) -> None:
    written = cli_page.path_of(language).read_text(encoding="utf-8")
    assert cli_page.made(language) == written, "python -m tests.architecture.cli_page writes it"


@pytest.mark.parametrize("page_", PAGES, ids=name)
def test_every_command_of_a_page_is_one(page_: Path) -> None:
    assert not [problem for shown in commands_in(page_) if (problem := problem_of(shown)) is not None]
