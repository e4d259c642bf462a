"""`anykey requests`: single calls, and what became of each, try by try."""

from collections.abc import Iterator

import click

from anykey.administration.request_bodies import forget as forget_bodies
from anykey.administration.request_bodies import read_bodies, spelled
from anykey.administration.requests import attempts_of, find_request, list_requests, requests_filter, row_fields
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.moments import past_moment_of
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.attempts import AttemptRecord
from anykey.storage.exchange_bodies import ExchangeBodies
from anykey.storage.records import ExchangeRow

_LIST = ("time", "id", "client", "route", "model", "tokens", "attempts", "status", "failure", "ms")
_TRIES = ("number", "deployment", "credential", "outcome", "status", "failure", "reason", "wait_s", "ms_from_to")
_BUCKETS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)


@click.group(cls=SpokenGroup, help=say("cli.commands.requests"))
def requests() -> None:
    """Nothing of its own: a command follows."""


@requests.command("list", help=say("cli.requests.list"))
@click.option("--since", default="24h", metavar="PERIOD", help=say("cli.usage.since"))
@click.option("--key", metavar="ID", help=say("cli.usage.key"))
@click.option("--model", metavar="NAME", help=say("cli.usage.model"))
@click.option("--status", metavar="STATUS", help=say("cli.requests.status"))
@click.option("--limit", default=20, type=click.IntRange(1, 10_000), metavar="N", help=say("cli.requests.limit"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def list_(since: str, key: str | None, model: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """Print the latest calls, a line each."""
    home = open_home()
    found = list_requests(home, limit, requests_filter(home, since, key=key, model=model, status=status))
    if as_json:
        print_json([row_fields(row) for row in found])
    elif not found:
        click.echo(say("cli.requests.none"))
    else:
        print_table(_LIST, map(_line, found))


@requests.command(help=say("cli.requests.show"))
@click.argument("request_id", metavar="ID")
@click.option("--bodies", "with_bodies", is_flag=True, help=say("cli.requests.bodies"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def show(request_id: str, with_bodies: bool, as_json: bool) -> None:
    """Print all that is known of one call."""
    home = open_home()
    row = find_request(home, request_id)
    bodies = read_bodies(home, row.id, actor=local_actor()) if with_bodies else None
    tries = attempts_of(row)
    if as_json:
        more = {} if bodies is None else {"bodies": _told(bodies)}
        print_json({"request": row_fields(row), "attempts": tries, **more})
        return
    print_table(("field", "value"), [(say(f"request_field.{name}"), value) for name, value in _fields(row)])
    if tries:
        print_table(_TRIES, map(_try, tries))
    for loss in row.loss_details or ():
        click.echo(f"{loss.side} {loss.kind} {loss.path}: {loss.reason}")
    if bodies is not None:
        _print_bodies(bodies)


@requests.command(help=say("cli.requests.forget"))
@click.option("--key", metavar="KEY", help=say("cli.requests.forget_key"))
@click.option("--before", metavar="WHEN", help=say("cli.requests.forget_before"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def forget(key: str | None, before: str | None, as_json: bool) -> None:
    """Delete what is kept of what was said; the calls stay."""
    before_ms = None if before is None else past_moment_of(before, "--before") * 1000
    gone = forget_bodies(open_home(), key=key, before_ms=before_ms, actor=local_actor())
    if as_json:
        print_json({"forgotten": gone})
    else:
        click.echo(say("cli.requests.forgotten", count=gone))


def _line(row: ExchangeRow) -> tuple[object, ...]:
    read = row.input_tokens + row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens
    return (
        local_time(row.at / 1000),
        row.id,
        row.client,
        row.scenario or row.route,
        f"{row.model_asked} → {row.deployment}" if row.deployment else row.model_asked,
        f"{read}/{row.output_tokens + row.reasoning_tokens}",
        row.attempts,
        row.status,
        row.failure,
        _times(row),
    )


def _fields(row: ExchangeRow) -> Iterator[tuple[str, object]]:
    """Each field's code with its value; rare ones only where there is something to say."""
    yield "id", row.id
    yield "time", local_time(row.at / 1000)
    yield "key", row.key_id
    yield "client", f"{row.client} ({row.client_protocol})"
    yield "model", row.model_asked
    for name in ("group_name", "scenario", "route", "deployment", "upstream_protocol", "model_answered"):
        value: str | None = getattr(row, name)
        if value is not None:
            yield name, value
    yield "status", row.status
    for name in ("failure", "finish"):
        if getattr(row, name) is not None:
            yield name, getattr(row, name)
    yield "attempts", row.attempts
    yield "usage", ", ".join(f"{name} {getattr(row, name)}" for name in _BUCKETS if getattr(row, name)) or None
    yield "times", _times(row)
    if row.trace_id not in (None, row.id):
        yield "trace_id", row.trace_id
    if row.metadata is not None:
        yield "metadata", row.metadata
    if row.losses:
        yield "losses", len(row.loss_details or row.losses)


def _told(bodies: ExchangeBodies) -> dict[str, object]:
    """Both sides for a program."""
    said = {"status": bodies.status, "content_type": bodies.content_type, "expires_at": bodies.expires_at}
    return {**said, "request": spelled(bodies, "request"), "answer": spelled(bodies, "answer")}


def _print_bodies(bodies: ExchangeBodies) -> None:
    for side, kept in (("request", bodies.request), ("answer", bodies.answer)):
        told = spelled(bodies, "request" if side == "request" else "answer")
        mark = say("cli.requests.cut", kept=len(kept)) if told["cut"] else ""
        click.echo()
        click.echo(say(f"cli.requests.{side}_body", bytes=told["bytes"], mark=mark, type=bodies.content_type))
        click.echo(told["base64"] if told["text"] is None else told["text"])


def _try(record: AttemptRecord) -> tuple[object, ...]:
    return (
        record.number or None,
        record.deployment,
        record.credential,
        _outcome(record),
        record.status,
        record.failure,
        record.reason,
        record.retry_after_s,
        f"{record.began_ms}+{record.took_ms}",
    )


def _outcome(record: AttemptRecord) -> str:
    outcome = say(f"attempt_outcome.{record.outcome}")
    return say("attempt_outcome.reconnected", outcome=outcome) if record.reconnected else outcome


def _times(row: ExchangeRow) -> str:
    return f"{'-' if row.first_token_ms is None else row.first_token_ms}/{row.total_ms}"
