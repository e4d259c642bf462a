"""The master key: the 32 bytes without which no stored credential can be opened.

It is `ANYKEY_MASTER_KEY`, else what stands in the file that `ANYKEY_MASTER_KEY_FILE` names, else in `master.key` of the data
directory, which is made at the first start. It is text everywhere, hex or base64, so that it can be moved from one to another.
Law: a key that is lost or wrong is never replaced in silence, because everything sealed under it would be lost with it.

A rotation writes `master.key.next` first, then seals the database anew in one transaction, then gives that file its name. Whoever
is interrupted in between leaves one of two files that fits the database, and the one that fits is taken.
"""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from anykey.administration.errors import AdministrationError

VARIABLE = "ANYKEY_MASTER_KEY"
FILE_VARIABLE = "ANYKEY_MASTER_KEY_FILE"
FILE_NAME = "master.key"
NEXT_NAME = "master.key.next"
KEY_BYTES = 32
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?")


class MasterKey(msgspec.Struct, frozen=True):
    """The key, and where it was found: the name of a variable, or a file."""

    key: bytes
    origin: str | Path

    def __repr__(self) -> str:
        return f"MasterKey(key=***, origin={str(self.origin)!r})"


def mark(key: bytes) -> bytes:
    """What everything sealed under `key` begins with: the version of the format, and 8 bytes that tell keys apart but say
    nothing of them."""
    return b"\x01" + hashlib.blake2b(key, digest_size=8, person=b"anykey-master").digest()


def parse(text: str) -> bytes | None:
    """The 32 bytes that `text` spells in hex or in base64 (either alphabet), or None."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _BASE64.fullmatch(text):
        return base64.b64decode(text.rstrip("=") + "=", altchars=b"-_" if re.search("[-_]", text) else None)
    return None


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def find_master_key(home: Path, environ: Mapping[str, str], sealed: Iterable[bytes]) -> MasterKey | None:
    """The master key that opens (one of) `sealed`; None where nothing is sealed and no key was made yet. Writes nothing.

    Raises AdministrationError where the key is missing, broken, or another one.
    """
    blobs = list(sealed)
    given = _given(environ)
    # The next one is read first: if it is gone by then, the file beside it is already the one that was next.
    found = [given] if given else [key for name in (NEXT_NAME, FILE_NAME) if (key := _in_file(home / name, home=True))]
    if not blobs:
        return next((key for key in found if key.origin != home / NEXT_NAME), None)
    for candidate in found:
        if any(blob.startswith(mark(candidate.key)) for blob in blobs):
            return candidate
    if not found:
        raise AdministrationError("home.master_key_missing", path=home / FILE_NAME, variable=VARIABLE)
    raise AdministrationError("home.master_key_wrong", origin=found[-1].origin)


def prepare_master_key(home: Path, environ: Mapping[str, str], sealed: Iterable[bytes]) -> MasterKey:
    """The same, made if there is none, and with an interrupted rotation brought to its end. Hold the lock of `home`."""
    found = find_master_key(home, environ, sealed)
    if found is None:
        found = MasterKey(new_key(), home / FILE_NAME)
        write_key(home / FILE_NAME, found.key)
    if found.origin == home / NEXT_NAME:
        (home / NEXT_NAME).replace(home / FILE_NAME)
        found = MasterKey(found.key, home / FILE_NAME)
    return found


def read_again(key: MasterKey) -> MasterKey:
    """The key as its file has it now: another process may have rotated it. Hold the lock of the data directory."""
    return key if isinstance(key.origin, str) else _in_file(key.origin) or key


def key_in(name_or_file: str | Path, environ: Mapping[str, str]) -> MasterKey:
    """The key in the variable of that name, or in that file. Raises AdministrationError where there is none."""
    found = _in_file(name_or_file) if isinstance(name_or_file, Path) else _in_variable(name_or_file, environ)
    if found is None:
        raise AdministrationError("home.master_key_broken", origin=name_or_file, bytes=KEY_BYTES)
    return found


def write_key(file: Path, key: bytes) -> None:
    """Write `key` as base64."""
    write_whole(file, text_of(key))


def text_of(key: bytes) -> bytes:
    """The content of a file that holds `key`."""
    return base64.b64encode(key) + b"\n"


def write_whole(file: Path, content: bytes) -> None:
    """All of `content` or nothing, 0600 from the first moment, on the disk when this returns."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def _given(environ: Mapping[str, str]) -> MasterKey | None:
    if environ.get(VARIABLE, "").strip():
        return key_in(VARIABLE, environ)
    named = environ.get(FILE_VARIABLE, "").strip()
    return key_in(Path(named).expanduser(), environ) if named else None


def _in_variable(name: str, environ: Mapping[str, str]) -> MasterKey | None:
    key = parse(environ.get(name, ""))
    return None if key is None else MasterKey(key, name)


def _in_file(file: Path, *, home: bool = False) -> MasterKey | None:
    """The key in `file`. One of the data directory (`home`) may be absent; one that an operator named must be there."""
    try:
        text = file.read_bytes().decode("ascii", "replace")
    except FileNotFoundError as error:
        if home:
            return None
        raise AdministrationError("home.master_key_unreadable", path=file, reason=error.strerror) from error
    except OSError as error:
        raise AdministrationError("home.master_key_unreadable", path=file, reason=error.strerror or error) from error
    key = parse(text)
    if key is None:
        raise AdministrationError("home.master_key_broken", origin=file, bytes=KEY_BYTES)
    return MasterKey(key, file)
