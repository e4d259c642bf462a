"""Click in the user's language: its own few words (Usage, Options, --help, what was asked wrongly) come from `say`."""

from typing import Any

import click

from anykey.language import say

_HEADINGS = {"Options": "cli.form.options", "Commands": "cli.form.commands"}


class SpokenFormatter(click.HelpFormatter):
    """Help pages with translated headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, say("cli.form.usage") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write `heading`, translated if it is one of Click's own."""
        super().write_heading(say(_HEADINGS[heading]) if heading in _HEADINGS else heading)


class SpokenContext(click.Context):
    """A context whose help pages are ours."""

    formatter_class = SpokenFormatter


class SpokenCommand(click.Command):
    """A command whose help page speaks the user's language."""

    context_class = SpokenContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("options_metavar", say("cli.form.metavar_options"))
        super().__init__(*args, **kwargs)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The --help option, described in the user's language."""
        return _described(super().get_help_option(ctx))


class SpokenGroup(SpokenCommand, click.Group):
    """A group of commands whose help page speaks the user's language."""

    command_class = SpokenCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("subcommand_metavar", say("cli.form.metavar_command"))
        super().__init__(*args, **kwargs)


def misuse(error: click.UsageError) -> str:
    """One line that says what was asked wrongly."""
    path = error.ctx.command_path if error.ctx else "anykey"
    match error:
        case click.NoSuchOption():
            return say("cli.misuse.option", name=error.option_name, path=path)
        case click.NoSuchCommand():
            return say("cli.misuse.command", name=error.command_name, path=path)
        case click.MissingParameter(param=click.Parameter() as param):
            return say("cli.misuse.missing", name=_spelled(param), path=path)
        case click.BadParameter(param=click.Parameter(type=click.Choice(choices=choices)) as param):
            return say("cli.misuse.choice", name=_spelled(param), choices=", ".join(map(str, choices)))
        case click.BadParameter(param=click.Parameter() as param):
            return say("cli.misuse.value", name=_spelled(param), reason=error.message)
        case _:
            return error.format_message()


def _described(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = say("cli.help")
    return option


def _spelled(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
