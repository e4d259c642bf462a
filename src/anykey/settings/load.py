"""Puts the settings together: the file if there is one, then what the environment adds, then the demo if nothing did."""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.load import catalogue
from anykey.providers.secret import Secret
from anykey.routing.configured import RoutingSettings
from anykey.settings.database import read_database
from anykey.settings.doors import default_doors
from anykey.settings.environment import discover, stored_kinds
from anykey.settings.groups import read_cap, read_configs, read_groups, read_teams
from anykey.settings.home import home_directory
from anykey.settings.lanes import check_credentials
from anykey.settings.lines import KeyLines
from anykey.settings.models import Known, check_further, read_models, read_rewrites
from anykey.settings.problems import Problem, SettingsError
from anykey.settings.providers import read_provider
from anykey.settings.records import (
    LedgerSettings,
    LoggingSettings,
    ResponsesSettings,
    RetentionSettings,
    Settings,
    UpstreamSettings,
)
from anykey.settings.schema import LEDGER, LOGGING, RESPONSES, RETENTION, UPSTREAM
from anykey.settings.section import Source, Table, as_table, read_section
from anykey.settings.server import read_server, read_valkey

FILE_NAME = "anykey.toml"
_TOP_LEVEL = (
    "server",
    "responses",
    "database",
    "valkey",
    "ledger",
    "retention",
    "logging",
    "upstream",
    "providers",
    "models",
    "rewrites",
    "organisation",
    "teams",
    "groups",
    "configs",
)


def load_settings(
    environ: Mapping[str, str], config: Path | None = None, stored: Collection[str] = frozenset()
) -> Settings:
    """Return the settings of `config`, else of `ANYKEY_CONFIG`, else of `<home>/anykey.toml` if it is there. `stored` are the
    names of providers that have stored credentials: they are not missed here, and configure their kinds.

    Raises SettingsError with every problem found. Reads the files named; writes nothing.
    """
    home = home_directory(environ)
    file = _config_file(environ, config, home)
    text = _text_of(file) if file is not None else ""
    source = Source(str(file) if file is not None else "environment", KeyLines(text))
    table: Table = tomllib.loads(text)
    for name in table.keys() - set(_TOP_LEVEL):
        source.unknown((name,), "settings.unknown_key", name, _TOP_LEVEL)
    server = read_server(source, table.get("server", {}))
    responses = ResponsesSettings(**read_section(source, ("responses",), table.get("responses", {}), RESPONSES))
    ledger = LedgerSettings(**read_section(source, ("ledger",), table.get("ledger", {}), LEDGER))
    retention = RetentionSettings(**read_section(source, ("retention",), table.get("retention", {}), RETENTION))
    logging = LoggingSettings(**read_section(source, ("logging",), table.get("logging", {}), LOGGING))
    database = read_database(source, table.get("database", {}), environ)
    valkey = read_valkey(source, table.get("valkey", {}), environ)
    upstream = _read_upstream(source, table.get("upstream", {}), file)
    named = as_table(source, ("providers",), table.get("providers", {}))
    read = [read_provider(source, name, entry, environ, upstream.timeouts, stored) for name, entry in named.items()]
    providers = [provider for provider in read if provider is not None]
    if server.environment_providers:
        around = Source("environment", KeyLines(""))
        providers += discover(around, environ, providers, upstream.timeouts, stored)
        source.problems += around.problems
        source.warnings += around.warnings
    providers += stored_kinds(stored, environ if server.environment_providers else {}, providers, upstream.timeouts)
    check_credentials(source, providers)
    if not providers:
        providers.append(_demo(upstream.timeouts))
    known = Known.of(providers, named)
    models = read_models(source, table.get("models", {}), known)
    check_further(source, models, known)
    routing = RoutingSettings(
        groups=read_groups(source, table.get("groups", {}), models, known),
        organisation_models=read_cap(source, ("organisation",), table.get("organisation", {})),
        teams=read_teams(source, table.get("teams", {})),
        rewrites=read_rewrites(source, table.get("rewrites", [])),
        configs=read_configs(source, table.get("configs", {})),
    )
    if source.problems:
        raise SettingsError(source.problems)
    return Settings(
        home,
        file,
        server,
        upstream,
        tuple(providers),
        tuple(models),
        tuple(source.warnings),
        responses,
        routing,
        ledger=ledger,
        retention=retention,
        logging=logging,
        database=database,
        valkey=valkey,
    )


def find_database(environ: Mapping[str, str], config: Path | None = None) -> Secret | None:
    """The URL of the database that `load_settings` would find, and nothing else: what is stored there is needed to read the
    rest. Raises SettingsError."""
    return _found(environ, config, "database", read_database)


def find_valkey(environ: Mapping[str, str], config: Path | None = None) -> Secret | None:
    """The URL of the Valkey that `load_settings` would find, and nothing else. Raises SettingsError."""
    return _found(environ, config, "valkey", read_valkey)


def _found(
    environ: Mapping[str, str],
    config: Path | None,
    section: str,
    read: Callable[[Source, object, Mapping[str, str]], Secret | None],
) -> Secret | None:
    """What `read` makes of one section alone."""
    file = _config_file(environ, config, home_directory(environ))
    text = _text_of(file) if file is not None else ""
    source = Source(str(file) if file is not None else "environment", KeyLines(text))
    found = read(source, tomllib.loads(text).get(section, {}), environ)
    if source.problems:
        raise SettingsError(source.problems)
    return found


def _config_file(environ: Mapping[str, str], config: Path | None, home: Path) -> Path | None:
    if config is not None:
        return config
    named = environ.get("ANYKEY_CONFIG", "").strip()
    if named:
        return Path(named).expanduser()
    usual = home / FILE_NAME
    return usual if usual.is_file() else None


def _text_of(file: Path) -> str:
    """Return the file's text, which is valid TOML; otherwise raise, with the line where it is not."""

    def broken(line: int, code: str, reason: str) -> SettingsError:
        return SettingsError([Problem(str(file), line, "", code, {"reason": reason})])

    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise broken(0, "settings.unreadable", error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise broken(0, "settings.unreadable", "not UTF-8 text") from error
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The place has no attribute of its own before Python 3.14: "... (at line 3, column 5)", "(at end of document)".
        reason, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        raise broken(int(line[1]) if line else text.count("\n") + 1, "settings.syntax", reason) from error
    except RecursionError:
        raise broken(0, "settings.syntax", "it nests too deeply") from None
    return text


def _read_upstream(source: Source, table: object, file: Path | None) -> UpstreamSettings:
    values = read_section(source, ("upstream",), table, UPSTREAM)
    ca_file: Path | None = None
    if values["ca_file"] is not None:
        beside = file.parent if file is not None else Path()
        ca_file = beside / Path(values["ca_file"]).expanduser()
        if not ca_file.is_file():
            source.problem(("upstream", "ca_file"), "settings.unreadable", reason=f"{ca_file}: no such file")
    limits: Table = values["timeouts"] or {}
    return UpstreamSettings(ca_file=ca_file, timeouts=Timeouts(**limits))


def _demo(timeouts: Timeouts) -> ProviderSettings:
    kind = catalogue()["demo"]
    return ProviderSettings(
        name=kind.id, kind=kind, endpoints=default_doors(kind), timeouts=timeouts, origin="built in"
    )
