"""`anykey`: its commands, each loaded only when it is run, and what a failure looks like to the caller.

Exit codes: 0 done, 1 it could not be done, 2 it was asked wrongly (arguments, settings), 130 interrupted. A failure is
one clear line on stderr.
"""

import importlib
import io
import sys
from collections.abc import Sequence
from keyword import iskeyword
from typing import cast

import click

from anykey.cli.form import SpokenGroup, misuse
from anykey.language import SpokenError, say

COMMANDS = {
    "up": "anykey.cli.up",
    "keys": "anykey.cli.keys",
    "organisations": "anykey.cli.organisations",
    "teams": "anykey.cli.teams",
    "members": "anykey.cli.members",
    "credentials": "anykey.cli.credentials",
    "configs": "anykey.cli.configs",
    "models": "anykey.cli.models",
    "rate-cards": "anykey.cli.rate_cards",
    "catalogue": "anykey.cli.catalogue",
    "providers": "anykey.cli.providers",
    "routes": "anykey.cli.routes",
    "wallets": "anykey.cli.wallets",
    "codes": "anykey.cli.codes",
    "ledger": "anykey.cli.ledger",
    "webhooks": "anykey.cli.webhooks",
    "usage": "anykey.cli.usage",
    "requests": "anykey.cli.requests",
    "audit": "anykey.cli.audit",
    "losses": "anykey.cli.losses",
    "import": "anykey.cli.imports",
    "export": "anykey.cli.declaring",
    "apply": "anykey.cli.declaring",
    "retention": "anykey.cli.retention",
    "backup": "anykey.cli.backup",
    "restore": "anykey.cli.backup",
    "conformance": "anykey.cli.conformance",
}


class LazyGroup(SpokenGroup):
    """The commands of COMMANDS: the object named like the command in the module there. Listing them loads none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 Click's signature
        """The names, in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load the command `cmd_name`; None where there is none."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        return cast("click.Command", getattr(importlib.import_module(module), _object_name(cmd_name)))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the catalogue of messages."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, say(f"cli.commands.{name}")) for name in COMMANDS])


def _object_name(command: str) -> str:
    """What a command is called in its module: `rate-cards` is `rate_cards`, `import` is `import_`."""
    name = command.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: of this process). Returns the exit code."""
    out: object = sys.stdout  # None where the caller closed it
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal that has no letter for a name shows "?", and the rest
    try:
        result = root.main(args=arguments, prog_name="anykey", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help page, on stderr
        return error.exit_code
    except click.UsageError as error:
        return _fail(misuse(error), 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except SpokenError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(say("cli.system", path=error.filename or "anykey", reason=error.strerror or error), 1)
    except (click.Abort, KeyboardInterrupt):
        return _fail(say("cli.interrupted"), 130)
    return result if isinstance(result, int) else 0


def _fail(message: str, code: int) -> int:
    click.echo(say("cli.error", message=message), err=True)
    return code


def _show_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        version = importlib.import_module("anykey.version")  # 30 ms that only this option needs
        click.echo(f"anykey {version.VERSION}")
        context.exit()


@click.command(cls=LazyGroup, help=say("cli.summary"))
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help=say("cli.version")
)
def root() -> None:
    """Nothing of its own: a command follows."""
