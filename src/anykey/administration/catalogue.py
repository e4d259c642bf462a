"""The model catalogue as operators keep it: bring it up to date, look a model up, see its sources, write it out.

Law: nothing here is in the way of a request. An update reads data files only, and adds dated rows; what is shipped stays.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.known_models import OWN, RANK, known_catalogue, ranked
from anykey.administration.model_sources.files import PACKAGES, SourceFile, read_bytes, read_file
from anykey.administration.model_sources.package_index import Index, download, newest_wheel
from anykey.providers.models import ModelCatalogue, ModelFacts
from anykey.providers.shipped_models import own_facts, shipped_lines, vendor_of, vendors
from anykey.storage.model_facts import StoredFacts, add_facts, stored_facts
from anykey.upstream.client import UpstreamClient
from anykey.upstream.proxy import ProxySettings


class SourceUpdate(msgspec.Struct, frozen=True):
    """What an update got from one source: how many models it knows, how many of those are new or changed, and of which day."""

    source: str
    file: str
    models: int
    changed: int
    observed_on: str


class KnownModel(msgspec.Struct, frozen=True):
    """A model with all that is known of it together, and what each source said, newest first."""

    facts: ModelFacts
    rows: tuple[StoredFacts, ...]


class SourceState(msgspec.Struct, frozen=True):
    """One source: how many models of it were imported here, the last day of its rows, where it comes from and its licence."""

    source: str
    models: int
    observed_on: str | None
    home: str
    licence: str


def update_from_files(home: Home, files: Sequence[Path], today: date, *, actor: Actor = LOCAL) -> list[SourceUpdate]:
    """Import the given files. All of them are read before anything is kept. Raises AdministrationError, StorageError."""
    require(actor, "catalogue:write", None)
    read = [(path.name, read_file(path, today.isoformat())) for path in files]
    return [_keep(home, name, file, actor) for name, file in read]


def update_from_index(
    home: Home, url: str, environ: Mapping[str, str], today: date, *, actor: Actor = LOCAL
) -> list[SourceUpdate]:
    """Import the newest wheel of each package from the index at `url`. Raises AdministrationError, StorageError."""
    require(actor, "catalogue:write", None)
    read = asyncio.run(_fetch_all(Index.from_url(url), environ, today))
    return [_keep(home, name, file, actor) for name, file in read]


def find_models(home: Home, name: str) -> list[KnownModel]:
    """The models called `name`, or `vendor/name`, of every vendor. Raises AdministrationError where there is none."""
    catalogue, rows = known_catalogue(home.database), stored_facts(home.database)
    vendor, _, rest = name.partition("/")
    found: list[KnownModel] = []
    for known in sorted({*vendors(), *(row.facts.vendor for row in rows)}):
        facts = catalogue.facts_of(known, rest if rest and known == vendor else name)
        if facts is not None:
            said = [row for row in rows if (row.facts.vendor, row.facts.model) == (facts.vendor, facts.model)]
            found.append(KnownModel(facts, tuple(reversed(said))))
    if not found:
        raise AdministrationError("catalogue.no_model", model=name)
    return found


def list_sources(home: Home) -> list[SourceState]:
    """The sources there are, the weightiest first."""
    rows = stored_facts(home.database)
    told = {package.name: (package.home, package.licence) for package in PACKAGES}
    states: list[SourceState] = []
    for source in reversed(RANK):
        own = [row.facts for row in rows if row.source == source]
        models = {(facts.vendor, facts.model) for facts in own}
        newest = max((facts.observed_on for facts in own), default=None)
        states.append(SourceState(source, len(models), newest, *told.get(source, ("", ""))))
    return states


def export_catalogue(home: Home, folder: Path) -> int:
    """Write what was imported, and the facts of `observed.toml`, into `folder`, one `<vendor>.jsonl` each: how the shipped files
    are made. Returns how many models."""
    observed = read_bytes(own_facts().encode(), "observed.toml", "").facts
    rows = [*ranked(stored_facts(home.database)), *(StoredFacts(OWN, facts) for facts in observed)]
    catalogue = ModelCatalogue(lambda _: {}, vendor_of).with_rows(row.facts for row in rows)
    count = 0
    folder.mkdir(parents=True, exist_ok=True)
    for vendor in vendors():
        models = list(catalogue.models_of(vendor))
        if models:
            (folder / f"{vendor}.jsonl").write_bytes(shipped_lines(models))
        count += len(models)
    return count


def _keep(home: Home, name: str, file: SourceFile, actor: Actor) -> SourceUpdate:
    changed = add_facts(home.database, file.source, file.facts, actor.name)
    newest = max((facts.observed_on for facts in file.facts), default="")
    return SourceUpdate(file.source, name, len(file.facts), changed, newest)


async def _fetch_all(index: Index, environ: Mapping[str, str], today: date) -> list[tuple[str, SourceFile]]:
    bundle = environ.get("PIP_CERT", "").strip()
    client = UpstreamClient(ca_file=Path(bundle) if bundle else None, proxies=ProxySettings.from_environment(environ))
    try:
        found: list[tuple[str, SourceFile]] = []
        for package in PACKAGES:
            wheel = await newest_wheel(client, index, package.name)
            data = await download(client, index, wheel)
            found.append((wheel.name, read_bytes(data, wheel.name, wheel.day or today.isoformat())))
    finally:
        await client.aclose()
    return found
