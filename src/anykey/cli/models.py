"""`anykey models`: the names that can be asked for, and what is known of each; their lists, pins and probes."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from anykey.administration.models import configured, has_list, pin, refresh_all, unpin
from anykey.administration.routes import stored_snapshot
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, read_settings
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json, print_table
from anykey.language import SpokenError, say
from anykey.providers.models import ModelFacts, usd_per_million
from anykey.providers.price_book import Priced
from anykey.routing.listing import list_models
from anykey.routing.sales import listed_sales
from anykey.routing.snapshot import ModelEntry
from anykey.settings import Settings
from anykey.upstream.client import UpstreamClient
from anykey.upstream.proxy import ProxySettings

T = TypeVar("T")
json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.group(cls=SpokenGroup, invoke_without_command=True, help=say("cli.commands.models"))
@config_option
@json_option
@click.pass_context
def models(context: click.Context, config: Path | None, as_json: bool) -> None:
    """Without a command: print the public names first, then each provider's models."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(config)
    snapshot = stored_snapshot(open_home(config), settings)
    entries = list_models(snapshot)
    cards = {name: snapshot.prices.find(sale) for name, sale in reversed([*listed_sales(snapshot, int(time.time()))])}
    if as_json:
        print_json([_described(entry, cards.get(entry.id)) for entry in entries])
    elif not entries:
        click.echo(say("cli.models.none"))
    else:
        columns = ("model", "provider", "protocols", "context", "price_in", "price_out", "abilities")
        print_table(columns, [_row(entry, cards.get(entry.id)) for entry in entries])


@models.command(help=say("cli.models.refresh"))
@click.argument("provider", required=False, metavar="PROVIDER")
@config_option
@json_option
def refresh(provider: str | None, config: Path | None, as_json: bool) -> None:
    """Ask one provider, or all that have a list, and print what became of it. Exit code 1 if none could be asked."""
    settings, home = read_settings(config), open_home(config)
    asked = [configured(settings, provider)] if provider else [one for one in settings.providers if has_list(one)]
    if not asked:
        raise SpokenError("models.no_lists")
    results = _with_client(settings, lambda client: refresh_all(client, home.database, asked, actor=local_actor()))
    if as_json:
        print_json(results)
    else:
        print_table(
            ("provider", "models", "state"),
            [(one.provider, one.models, one.problem or _outcome(one.changed)) for one in results],
        )
    if all(one.problem is not None for one in results):
        click.get_current_context().exit(1)


@models.command("pin", help=say("cli.models.pin"))
@click.argument("provider", metavar="PROVIDER")
@click.argument("names", nargs=-1, required=True, metavar="MODEL...")
@config_option
def pin_(provider: str, names: tuple[str, ...], config: Path | None) -> None:
    """Pin, and say how many were not pinned before."""
    settings, home = read_settings(config), open_home(config)
    count = pin(home, settings, provider, names, actor=local_actor())
    click.echo(say("cli.models.pinned", count=count, provider=provider))


@models.command("unpin", help=say("cli.models.unpin"))
@click.argument("provider", metavar="PROVIDER")
@click.argument("names", nargs=-1, required=True, metavar="MODEL...")
@config_option
def unpin_(provider: str, names: tuple[str, ...], config: Path | None) -> None:
    """Take pins away, and say how many there were."""
    settings, home = read_settings(config), open_home(config)
    count = unpin(home, settings, provider, names, actor=local_actor())
    click.echo(say("cli.models.unpinned", count=count, provider=provider))


@models.command(help=say("cli.models.probe"))
@click.argument("name", metavar="PROVIDER/MODEL")
@config_option
@json_option
def probe(name: str, config: Path | None, as_json: bool) -> None:
    """Send one tiny real call and print what it came to. Exit code 1 if it was not answered."""
    from anykey.administration.probing import probe as send  # noqa: PLC0415 - four codecs that only this command needs

    settings = read_settings(config)
    if not as_json:
        click.echo(say("cli.models.probe_costs", name=name), err=True)
    result = _with_client(settings, lambda client: send(client, settings, name))
    if as_json:
        print_json(result)
    else:
        usage = result.usage
        tokens = f"{usage.total_input()}/{usage.total_output()}" if usage is not None else None
        row = (f"{result.provider}/{result.model}", result.protocol, result.status or None, result.latency_ms, tokens)
        print_table(("model", "protocol", "status", "latency", "tokens", "reason"), [(*row, result.problem)])
    if result.problem is not None:
        click.get_current_context().exit(1)


def _with_client(settings: Settings, work: Callable[[UpstreamClient], Awaitable[T]]) -> T:
    """Run `work` with a client of its own, made as the server makes its."""

    async def run() -> T:
        client = UpstreamClient(ca_file=settings.upstream.ca_file, proxies=ProxySettings.from_environment(os.environ))
        try:
            return await work(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def _described(entry: ModelEntry, priced: Priced | None) -> dict[str, Any]:
    """`card` is what a call of its first deployment is sold by now; null: it is unpriced."""
    facts = entry.facts
    return {
        "id": entry.id,
        "provider": entry.provider,
        "owned_by": entry.owned_by,
        "protocols": entry.protocols,
        "card": priced.card.id if priced is not None else None,
        **(described(facts) if facts is not None else {}),
    }


def described(facts: ModelFacts) -> dict[str, Any]:
    """The facts for a program: prices are USD per million tokens, as text, so that no digit is lost."""
    told: dict[str, Any] = msgspec.to_builtins(facts)
    del told["vendor"], told["model"]
    if facts.prices is not None:
        told["prices"] = _in_usd(told["prices"])
    return told


def _in_usd(prices: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in prices.items():
        if name == "tiers":
            shown[name] = [_in_usd(tier) for tier in value]
        else:
            shown[name] = usd_per_million(value) if isinstance(value, int) and name != "over_tokens" else value
    return shown


def _row(entry: ModelEntry, priced: Priced | None) -> tuple[object, ...]:
    """The prices are those of its first deployment's card, or the word that it has none."""
    facts = entry.facts
    return (
        entry.id,
        entry.provider,
        ", ".join(say(f"column.{protocol}") for protocol in entry.protocols),
        facts.context_tokens if facts is not None else None,
        _price(priced.card.tokens.input) if priced is not None else say("cli.rate_cards.no_price"),
        _price(priced.card.tokens.output) if priced is not None else None,
        ", ".join(facts.abilities) or None if facts is not None else None,
    )


def _price(price: int | None) -> str | None:
    return usd_per_million(price) if price is not None else None


def _outcome(changed: bool) -> str:
    return say("word.changed" if changed else "word.unchanged")
