"""Reads a provider's credential: from the environment, from a file, or (with a warning) from the configuration.

The value of a credential is never put into a problem or a warning; only where it came from is.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from anykey.providers.secret import Secret
from anykey.settings.section import Path, Source, Table, wrong_type

_PLACEHOLDERS = frozenset({
    "sk-1234", "sk-xxx", "sk-xxxx", "sk-...", "xxx", "changeme", "change-me", "change_me", "replace-me", "replace_me",
    "your-key", "your-api-key", "your_api_key", "your-key-here", "your-api-key-here", "todo", "none", "null",
})  # fmt: skip
_MOST_BYTES = 65_536


class Credential(NamedTuple):
    """A credential and the environment variable that held it, if one did."""

    secret: Secret
    variable: str = ""


def fault_of(text: str) -> str | None:
    """Return the code of what is wrong with a credential, or None: it must be real and fit into a header."""
    if not text:
        return "settings.empty_credential"
    if text.lower() in _PLACEHOLDERS or (text.startswith("<") and text.endswith(">")):
        return "settings.placeholder_credential"
    if not all("!" <= mark <= "~" for mark in text):
        return "settings.bad_credential"
    return None


def from_environment(variables: Iterable[str], environ: Mapping[str, str]) -> Credential | None:
    """Return the first of the variables that is set and not empty, or None."""
    for variable in variables:
        text = environ.get(variable, "").strip()
        if text:
            return Credential(Secret(text), variable)
    return None


def read_credential(source: Source, path: Path, value: Any, environ: Mapping[str, str]) -> Credential | None:
    """Read the value of an `api_key`: a text, `{ env = NAME }` or `{ file = PATH }` (relative to the configuration).

    Problems go to `source`; None is returned after one.
    """
    if isinstance(value, str):
        source.warn(path, "settings.literal_credential")
        return _checked(source, path, Credential(Secret(value.strip())), "the text in the file")
    table: Table = value
    if len(table) != 1 or next(iter(table)) not in {"env", "file"} or not isinstance(next(iter(table.values())), str):
        wrong_type(source, path, 'a text, { env = "NAME" } or { file = "PATH" }', table)
        return None
    if "env" in table:
        variable: str = table["env"]
        found = Credential(Secret(environ.get(variable, "").strip()), variable)
        return _checked(source, path, found, f"the environment variable {variable}")
    file = FilePath(source.file).parent / FilePath(table["file"]).expanduser()
    try:
        with file.open("rb") as stream:
            text = stream.read(_MOST_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        source.problem(path, "settings.unreadable", reason=f"{file}: {reason}")
        return None
    return _checked(source, path, Credential(Secret(text)), f"the file {file}")


def _checked(source: Source, path: Path, found: Credential, origin: str) -> Credential | None:
    fault = fault_of(found.secret.reveal())
    if fault is None:
        return found
    source.problem(path, fault, source=origin)
    return None
