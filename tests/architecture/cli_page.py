"""The reference page of the command line, made from the commands themselves but for its opening.

`python -m tests.architecture.cli_page` writes it in both languages. A command is spoken in one language per process, that of
ANYKEY_LANG when it was imported; so each page is made in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from anykey.cli.main import COMMANDS, root
from tests.architecture.sources import ROOT

LANGUAGES = ("en", "zh-CN")
HEADS = {"en": ("option", "meaning"), "zh-CN": ("选项", "含义")}


def path_of(language: str) -> Path:
    """Where the page lies."""
    return ROOT / "docs" / language / "reference" / "cli.md"


def made(language: str) -> str:
    """The page as the commands say it, from a process that speaks the language."""
    environment = {**os.environ, "ANYKEY_LANG": language, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "tests.architecture.cli_page", language]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def _page(language: str) -> str:
    parts = [path_of(language).read_text(encoding="utf-8").partition("\n## ")[0].rstrip()]
    for command_name in COMMANDS:
        command = root.get_command(click.Context(root), command_name)
        assert command is not None, command_name
        parts += _sections(command, f"anykey {command_name}", 2, HEADS[language])
    return "\n\n".join(parts) + "\n"


def _sections(command: click.Command, path: str, depth: int, head: tuple[str, str]) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"{'#' * depth} `{path}`"
    yield _prose(command.help or "")
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield f"```text\n{path} {usage}\n```"
        yield from _options(command, context, head)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _sections(inner, f"{path} {name}", depth + 1, head)


def _options(command: click.Command, context: click.Context, head: tuple[str, str]) -> Iterator[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows = [f"| `{_spelled(one, context)}` | {_prose(one.help or '')} |" for one in options]
    if rows:
        yield "\n".join((f"| {head[0]} | {head[1]} |", "|---|---|", *rows))


def _spelled(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        return f"{names} / {', '.join(option.secondary_opts)}"
    return names if option.is_flag else _prose(f"{names} {option.make_metavar(context)}")


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(_page(sys.argv[1]))
    else:
        for one in LANGUAGES:
            path_of(one).write_text(made(one), encoding="utf-8")
