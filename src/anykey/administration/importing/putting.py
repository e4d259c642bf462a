"""Puts an import to use: its tables go to the end of `anykey.toml`, its literal keys into the sealed store, its prices and issued
keys into the database.

Law: all or nothing for the file. The whole configuration as it would be is read first; if anything of it is wrong, nothing is
changed. What is there already is left as it is, so that the same import twice is the same as once.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.accounts.rate_cards import CardError, cards_in
from anykey.accounts.written_cards import WrittenCard, scope_of
from anykey.administration.credentials import EVERY_PROVIDER, add_credential
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.importing.records import Imported, NewCredential, NewKey, Note
from anykey.administration.importing.toml_text import table_text
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, list_keys
from anykey.administration.rate_cards import list_cards, put_cards
from anykey.settings import Settings, load_settings
from anykey.settings.credentials import variables_named
from anykey.settings.load import FILE_NAME

_CANDIDATE = ".anykey.import.toml"
_STANDS_FOR = "x" * 24
"""In the place of a variable that is not set here: whether the rest is right can be seen without it."""


class Prepared(NamedTuple):
    """An import against what is there. `text` is what the file would be; `settings` what it says."""

    file: Path
    text: str
    added: str
    settings: Settings
    imported: Imported


class MadeKey(msgspec.Struct, frozen=True):
    """A key that was made for one of the import. `text` is the key itself: shown now, and never again."""

    name: str
    id: str
    text: str

    def __repr__(self) -> str:
        return f"MadeKey(name={self.name!r}, id={self.id!r}, text='***')"


class Done(msgspec.Struct, frozen=True):
    """What came of it. `credentials` are the references of the sealed ones, `rate_cards` those of the new cards."""

    file: str
    providers: tuple[str, ...]
    models: tuple[str, ...]
    credentials: tuple[str, ...]
    rate_cards: tuple[str, ...]
    keys: tuple[MadeKey, ...]
    notes: tuple[Note, ...]


def prepare_import(imported: Imported, home: Path, environ: Mapping[str, str], today: date) -> Prepared:
    """Return what the import comes to, with nothing changed. SettingsError, with every problem: it cannot be had."""
    file = Path(environ.get("ANYKEY_CONFIG", "").strip() or home / FILE_NAME).expanduser()
    there = file.read_text("utf-8-sig") if file.is_file() else ""
    imported = _with_right_cards(_without_known(imported, _tables(there)))
    tables = [
        table_text(section, named)
        for section, named in (
            ("providers", imported.providers),
            ("models", imported.models),
            ("groups", imported.groups),
        )
        if named
    ]
    added = f"# From {imported.source}, {today.isoformat()}\n" + "\n".join(tables) if tables else ""
    text = "\n".join(filter(None, (there.rstrip("\n") + "\n" if there.strip() else "", added)))
    settings = _read(text, file, {**environ, **_missing_variables(_tables(text), environ)})
    return Prepared(file, text, added, settings, _with_warnings(imported, environ))


def put_import(home: Home, prepared: Prepared, *, actor: Actor = LOCAL) -> Done:
    """Seal the credentials, write the file, keep the prices, make the keys. What of it cannot be had is left out with a note."""
    require(actor, "settings:write", None)
    imported, notes, sealed = prepared.imported, list(prepared.imported.notes), list[str]()
    for new in imported.credentials:
        try:
            sealed.append(_sealed(home, prepared.settings, new, actor))
        except AdministrationError as error:
            values = {"reason": str(error), "provider": new.provider}
            notes.append(Note(f"providers.{new.provider}", "import.credential", values))
    if prepared.added:
        _write(prepared.file, prepared.text)
    cards = _put_cards(home, imported, notes, actor)
    keys = _make_keys(home, prepared, notes, actor)
    return Done(
        str(prepared.file),
        tuple(imported.providers),
        tuple(imported.models),
        tuple(sealed),
        tuple(cards),
        tuple(keys),
        tuple(notes),
    )


def _sealed(home: Home, settings: Settings, new: NewCredential, actor: Actor) -> str:
    said = {"label": new.label, "weight": new.weight}
    row = add_credential(home, settings, new.provider, new.secret.reveal(), actor=actor, **said)  # pyright: ignore[reportArgumentType] - both are as `Said` has them
    return row.reference


def _write(file: Path, text: str) -> None:
    candidate = file.with_name(_CANDIDATE)
    descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    candidate.replace(file)


def _put_cards(home: Home, imported: Imported, notes: list[Note], actor: Actor) -> list[str]:
    """Keep the prices of what has none of its own yet. Returns the references of the new cards."""
    known: dict[str, str] = {}
    for row in list_cards(home, withdrawn=True):
        known[row.id] = row.rates
    new: list[Mapping[str, Any]] = []
    for card in imported.rate_cards:
        written = _card(card)
        series = scope_of(written).series()
        if series not in known:
            new.append(card)
        elif known[series] != written.rates().text():
            notes.append(Note(f"rate_cards.{series}", "import.card_there"))
    if not new:
        return []
    put = put_cards(home, msgspec.json.encode({"rate_cards": new}), actor=actor)
    return [one.row.reference for one in put if one.new]


def _make_keys(home: Home, prepared: Prepared, notes: list[Note], actor: Actor) -> list[MadeKey]:
    if not prepared.imported.keys:
        return []
    taken = {key.name for key in list_keys(home) if key.revoked_at is None}
    made: list[MadeKey] = []
    for new in prepared.imported.keys:
        if new.name in taken:
            notes.append(Note(f"keys.{new.name}", "import.there"))
            continue
        taken.add(new.name)
        try:
            created = create_key(home, new.name, fields=_fields(new), actor=actor)
        except AdministrationError as error:
            notes.append(Note(f"keys.{new.name}", "import.key", {"reason": str(error)}))
            continue
        made.append(MadeKey(created.key.name, created.key.id, created.text))
    return made


def _fields(new: NewKey) -> KeyFields:
    return KeyFields(
        group=new.group,
        allowed_models=new.allowed_models,
        budgets=None if new.quota_nano is None else {"lifetime": new.quota_nano},
        expires_at=new.expires_at,
        ip_allow=new.ip_allow,
    )


def _card(card: Mapping[str, Any]) -> WrittenCard:
    return cards_in(msgspec.json.encode(card))[0]


def _with_right_cards(imported: Imported) -> Imported:
    """The import without prices that cannot be meant here, each a note."""
    right: list[Mapping[str, Any]] = []
    wrong: list[Note] = []
    for card in imported.rate_cards:
        try:
            _card(card)
        except CardError as error:
            wrong.append(Note(f"rate_cards.{card['model']}", "import.card", {"reason": str(error)}))
        else:
            right.append(card)
    return msgspec.structs.replace(imported, rate_cards=tuple(right), notes=(*imported.notes, *wrong))


def _tables(there: str) -> Mapping[str, Any]:
    """The file as it is. One that is no TOML has no names; reading the whole then says what is wrong with it."""
    try:
        return tomllib.loads(there)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _without_known(imported: Imported, there: Mapping[str, Any]) -> Imported:
    """The import without what the file names already, each a note."""
    notes = list(imported.notes)

    def new(section: str, named: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        known: Mapping[str, Any] = there.get(section, {})
        notes.extend(Note(f"{section}.{name}", "import.there") for name in named if name in known)
        return {name: table for name, table in named.items() if name not in known}

    providers, models = new("providers", imported.providers), new("models", imported.models)
    return msgspec.structs.replace(
        imported,
        providers=providers,
        models=models,
        groups=new("groups", imported.groups),
        credentials=tuple(one for one in imported.credentials if one.provider in providers),
        notes=tuple(notes),
    )


def _variables(imported: Imported) -> dict[str, str]:
    """The environment variables that the new providers name, each with its provider."""
    named = {name: table["api_key"]["env"] for name, table in imported.providers.items() if "api_key" in table}
    return {variable: name for name, variable in named.items()}


def _missing_variables(tables: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the providers of the file name and that are not set here, each with something in its place."""
    named = tables.get("providers", {})
    providers: list[Any] = list(named.values()) if isinstance(named, dict) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] - parsed data
    variables = {
        variable
        for provider in providers
        if isinstance(provider, dict)
        for variable in variables_named(provider.get("api_key"))  # pyright: ignore[reportUnknownMemberType] - parsed data
    }
    return {variable: _STANDS_FOR for variable in variables if not environ.get(variable)}


def _with_warnings(imported: Imported, environ: Mapping[str, str]) -> Imported:
    unset = [
        Note(f"providers.{provider}", "import.unset", {"variable": variable})
        for variable, provider in _variables(imported).items()
        if not environ.get(variable)
    ]
    return msgspec.structs.replace(imported, notes=(*imported.notes, *unset))


def _read(text: str, file: Path, environ: Mapping[str, str]) -> Settings:
    """The settings as the file would say them. The candidate lies beside the file, for what the file names is beside it."""
    if not file.parent.is_dir():
        with TemporaryDirectory() as elsewhere:
            return _read(text, Path(elsewhere) / file.name, environ)
    candidate = file.with_name(_CANDIDATE)
    descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        return load_settings(environ, candidate, EVERY_PROVIDER)
    finally:
        candidate.unlink(missing_ok=True)
