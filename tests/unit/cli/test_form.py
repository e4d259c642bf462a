"""Click's own words come from the catalogue."""

import click
import pytest
from click.testing import CliRunner

from anykey.cli.form import SpokenCommand, SpokenGroup, misuse


def test_the_help_page_is_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")

    @click.group(cls=SpokenGroup)
    def parent() -> None: ...

    @parent.command()
    def child() -> None: ...

    assert isinstance(child, SpokenCommand)
    page = CliRunner().invoke(parent, ["--help"]).output
    assert page.split("\n")[0].endswith("parent [选项] 命令 [参数]...")
    assert "选项:\n  --help  显示本帮助并退出。\n" in page
    assert "命令:\n  child" in page


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (click.NoSuchOption("--x"), "There is no option --x. `anykey --help` lists them."),
        (click.BadParameter("too big", param=click.Option(["--size", "-s"])), "--size: too big"),
        (click.MissingParameter(param=click.Argument(["key"])), "KEY is missing. See `anykey --help`."),
        (click.UsageError("something else"), "something else"),
    ],
)
def test_what_was_asked_wrongly_is_one_line(error: click.UsageError, line: str) -> None:
    assert misuse(error) == line
