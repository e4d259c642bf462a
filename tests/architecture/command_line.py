"""The commands that pages show, as the program understands them: `anykey keys create --name N` is a path and its options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import click

from anykey.cli.main import root

_FENCE = re.compile(r"^```(?:sh|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(anykey [^`]+)`")
_PLACEHOLDER = re.compile(r"\[|…|\|\s|\.\.\.")


class Shown(NamedTuple):
    """A command of a page: its words after `anykey`."""

    text: str
    words: tuple[str, ...]


def commands_in(page: Path) -> Iterator[Shown]:
    """Every `anykey` command of a page's shell blocks, and those in the middle of its text that are whole."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in _FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    found = [line.strip().removeprefix("$ ") for line in lines]
    for line in [*found, *(one for one in _INLINE.findall(text) if not _PLACEHOLDER.search(one))]:
        command = line.removeprefix(".venv/bin/").partition("anykey ")
        if command[0] == "" and command[1]:
            yield Shown(line, _words(command[2]))


def problem_of(shown: Shown) -> str | None:
    """What the program would not understand: a command or an option that is not there. None: nothing."""
    command: click.Command = root
    words = list(shown.words)
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            if command.invoke_without_command:
                break
            return f"{shown.text}: there is no command {words[0]!r}"
        command = found
        words.pop(0)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word != "-" and word.partition("=")[0] not in known]
    return f"{shown.text}: there is no option {unknown[0]!r}" if unknown else None


def _words(text: str) -> tuple[str, ...]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in cast("Iterator[str]", lexer):
        if word in {"|", ">", ";", "&&", "(", ")", "<"} or word.startswith("#"):
            break
        words.append(word)
    return tuple(words)
