"""What the commands about money share: amounts and moments as they are typed, and options that several have."""

from datetime import UTC, datetime
from typing import Any

import click

from anykey.accounts.amounts import nano_of
from anykey.language import say

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
organisation_option = click.option(
    "--organisation", metavar="ORGANISATION", default=None, help=say("cli.wallets.organisation")
)
cursor_option = click.option("--cursor", metavar="CURSOR", help=say("cli.wallets.cursor"))
limit_option = click.option("--limit", type=click.IntRange(1, 1000), default=50, help=say("cli.wallets.limit"))


class Amount(click.ParamType[int]):
    """An amount of USD; the command gets nano-USD."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it exactly."""
        try:
            return nano_of(str(value).removeprefix("$"))
        except ValueError:
            self.fail(say("cli.wallets.no_amount", found=str(value)[:40]), param, ctx)


class Moment(click.ParamType[int]):
    """A day (its beginning) or a moment as ISO 8601, UTC unless it says otherwise; the command gets Unix seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(say("cli.wallets.no_moment", found=str(value)[:40]), param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def tell_next(cursor: str | None) -> None:
    """Say how to go on with a list that is longer."""
    if cursor is not None:
        click.echo(say("cli.wallets.more", cursor=cursor), err=True)
