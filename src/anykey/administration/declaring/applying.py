"""Make the database as a document says: all of it in one transaction, or nothing.

Only credentials come after it, each by itself: they are sealed under the master key, whose file must not change meanwhile.
Said again, they change nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from anykey.accounts.permissions import LOCAL, Actor
from anykey.administration import credentials
from anykey.administration.configuration import open_all
from anykey.administration.declaring.comparing import Change, NewSecret, compare
from anykey.administration.declaring.document import CredentialEntry, Document
from anykey.administration.declaring.reading import read_state
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.settings import Settings
from anykey.storage.configuration import CredentialRow
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.one_transaction import one_transaction


class Around(msgspec.Struct, frozen=True):
    """Where a document's credentials are looked for, and the settings that know their providers (read when there is one)."""

    environ: Mapping[str, str]
    folder: Path
    settings: Callable[[], Settings]


class Applied(msgspec.Struct, frozen=True):
    """What was changed, or would be; the secrets that were made."""

    changes: tuple[Change, ...]
    secrets: tuple[NewSecret, ...] = ()


def apply_document(
    home: Home, wanted: Document, around: Around, *, dry_run: bool = False, prune: bool = False, actor: Actor = LOCAL
) -> Applied:
    """Do what it takes; with `dry_run` it is done and undone, so that all that would be refused is refused.

    Raises AdministrationError, Forbidden or StorageError, and nothing is changed.
    """
    declared = [(entry, _text(entry, around)) for entry in wanted.credentials or ()]
    changes: list[Change] = []
    secrets: list[NewSecret] = []
    try:
        with one_transaction(home.database) as common:
            inside = msgspec.structs.replace(home, database=common)
            for step in compare(read_state(inside, actor), wanted, prune=prune):
                text = step.act(inside, actor)
                changes += step.changes
                if text is not None and not dry_run:
                    secrets.append(NewSecret(step.changes[0].path, text))
            if dry_run or not changes:
                common.undo()
    except DatabaseError as error:
        raise StorageError("storage.failed", path=home.database.name, reason=error) from error
    if wanted.credentials is not None:
        changes += _credentials(home, declared, around, dry_run=dry_run, prune=prune, actor=actor)
    return Applied(tuple(changes), tuple(secrets))


def _text(entry: CredentialEntry, around: Around) -> str:
    """The credential itself. Raises AdministrationError where there is none."""
    place = f"credentials.{entry.provider}#{entry.label}"
    if entry.env:
        text, source = around.environ.get(entry.env, ""), entry.env
    else:
        file = around.folder / Path(entry.file).expanduser()
        source = str(file)
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(credentials.TEXT_BYTES_MAX)
        except (OSError, UnicodeDecodeError):
            text = ""
    if not text.strip():
        raise AdministrationError("declaring.credential_unset", place=place, source=source)
    return text.strip()


def _credentials(
    home: Home,
    declared: list[tuple[CredentialEntry, str]],
    around: Around,
    *,
    dry_run: bool,
    prune: bool,
    actor: Actor,
) -> list[Change]:
    opened = {
        (one.row.provider, one.row.label): (one.row, one.secret.reveal() if one.secret is not None else "")
        for one in open_all(credentials.list_credentials(home), home.master_key)
    }
    changes: list[Change] = []
    for entry, text in declared:
        path = f"credentials.{entry.provider}#{entry.label}"
        row, secret = opened.pop((entry.provider, entry.label), (None, ""))
        if row is None:
            changes.append(Change("+", path))
        elif secret != text:
            changes.append(Change("~", path, "secret", "***", "***"))
        elif row.weight != entry.weight:
            changes.append(Change("~", path, "weight", row.weight, entry.weight))
        else:
            continue
        if not dry_run:
            _keep(home, entry, None if secret == text else text, row, around, actor)
    for row, _ in opened.values() if prune else ():
        changes.append(Change("-", f"credentials.{row.reference}"))
        if not dry_run:
            credentials.remove_credential(home, row.id, actor=actor)
    return changes


def _keep(
    home: Home, entry: CredentialEntry, text: str | None, row: CredentialRow | None, around: Around, actor: Actor
) -> None:
    if text is None:
        credentials.weigh_credential(home, f"{entry.provider}#{entry.label}", entry.weight, actor=actor)
        return
    if row is not None:
        credentials.remove_credential(home, row.id, actor=actor)
    credentials.add_credential(
        home, around.settings(), entry.provider, text, actor=actor, label=entry.label, weight=entry.weight
    )
