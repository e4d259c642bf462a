"""Reads a provider's credentials: from the environment, from files, or (with a warning) from the configuration.

The value of a credential is never put into a problem or a warning; only where it came from is. What a value must look
like, and which variables belong together, is a matter of the scheme it is sent with (`anykey.providers.auth`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple, cast

from anykey.providers.auth import SCHEMES
from anykey.providers.configured import StoredCredential
from anykey.providers.records import ProviderKind
from anykey.providers.secret import Secret
from anykey.settings.schema import CREDENTIAL, EXPECTED
from anykey.settings.section import Path, Source, Table, read_section, wrong_type

_PLACEHOLDERS = frozenset({
    "sk-1234", "sk-xxx", "sk-xxxx", "sk-...", "xxx", "changeme", "change-me", "change_me", "replace-me", "replace_me",
    "your-key", "your-api-key", "your_api_key", "your-key-here", "your-api-key-here", "todo", "none", "null",
})  # fmt: skip
_MOST_BYTES = 65_536
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_FIRST_LABEL = "default"
_ONE: Table = {"label": None, "weight": 1}


class Credential(NamedTuple):
    """A credential, and the environment variable that held it, if one did."""

    secret: Secret
    variable: str = ""
    auth: str = ""
    """Its scheme, where the variable says that it is not the provider's."""
    fault: str | None = None
    """The code of what is wrong with it, or None."""


def fault_of(text: str, scheme: str = "bearer") -> str | None:
    """Return the code of what is wrong with a credential, or None: it must be real and fit into its scheme."""
    if not text:
        return "settings.empty_credential"
    if text.lower() in _PLACEHOLDERS or (text.startswith("<") and text.endswith(">")):
        return "settings.placeholder_credential"
    return SCHEMES[scheme].fault(text)


def from_environment(
    variables: Iterable[str], environ: Mapping[str, str], kind: ProviderKind | None = None, auth: str = ""
) -> Credential | None:
    """Return the credential of the first of the variables that is set and not empty, or None.

    `auth` is the scheme an operator chose; empty: the one that `kind` says the variable has. A variable of
    `google_oauth` may name a file, which is read.
    """
    held = (variable for variable in variables if environ.get(variable, "").strip())
    first = next(held, None)
    return None if first is None else _of_variable(first, environ, kind, auth)


def read_credential(
    source: Source,
    path: Path,
    value: Any,
    environ: Mapping[str, str],
    kind: ProviderKind | None = None,
    auth: str = "",
) -> Credential | None:
    """Read one credential: a text, `{ env = NAME }` or `{ file = PATH }` (relative to the configuration).

    Problems go to `source`; None is returned after one.
    """
    if isinstance(value, str):
        source.warn(path, "settings.literal_credential")
        return _checked(source, path, _of_text(value, kind, auth), "the text in the file")
    table: Table = value
    if len(table) != 1 or next(iter(table)) not in {"env", "file"} or not isinstance(next(iter(table.values())), str):
        wrong_type(source, path, EXPECTED["credential"], table)
        return None
    if "env" in table:
        variable: str = table["env"]
        found = _of_variable(variable, environ, kind, auth)
        return _checked(source, path, found, f"the environment variable {variable}")
    file = FilePath(source.file).parent / FilePath(table["file"]).expanduser()
    try:
        text = _text_of(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        source.problem(path, "settings.unreadable", reason=f"{file}: {reason}")
        return None
    return _checked(source, path, _of_text(text, kind, auth), f"the file {file}")


def read_credentials(
    source: Source, path: Path, value: Any, environ: Mapping[str, str], kind: ProviderKind, auth: str = ""
) -> tuple[StoredCredential, ...]:
    """Read the value of an `api_key` at `path` (`providers`, the provider's name, `api_key`): one credential or a list.

    Of a list each entry is `{ env | file = …, weight = 1, label = … }`; without a label the first is `default` and any
    other its number. Problems go to `source`; what has one is left out.
    """
    if not isinstance(value, list):
        entries: list[tuple[Path, Table, Any]] = [(path, _ONE, value)]
    elif value:
        entries = [
            _entry(source, (*path, str(number)), entry)
            for number, entry in enumerate(cast("list[Any]", value), start=1)
        ]
    else:
        wrong_type(source, path, "a list with a credential in it", cast("list[Any]", value))
        return ()
    found: dict[str, StoredCredential] = {}
    for number, (place, said, one) in enumerate(entries, start=1):
        label: str = said["label"] or (_FIRST_LABEL if number == 1 else str(number))
        held = read_credential(source, place, one, environ, kind, auth) if one is not None else None
        if _LABEL.match(label) is None or label in found:
            source.problem((*place, "label"), "settings.bad_label", found=repr(label))
        elif held is not None:
            found[label] = StoredCredential(f"{path[1]}#{label}", held.secret, said["weight"], held.auth)
    return tuple(found.values())


def variables_named(value: Any) -> tuple[str, ...]:
    """Return the environment variables that the value of an `api_key` names."""
    entries = cast("list[Any]", value) if isinstance(value, list) else [value]
    tables = (cast("Table", entry) for entry in entries if isinstance(entry, dict))
    return tuple(table["env"] for table in tables if isinstance(table.get("env"), str))


def _entry(source: Source, path: Path, entry: Any) -> tuple[Path, Table, Any]:
    """Split an entry of a list into what it says about the credential and, if that is right, where the credential is."""
    said = read_section(source, path, entry, CREDENTIAL)
    places = {name: said[name] for name in ("env", "file") if said[name] is not None}
    if len(places) != 1 and isinstance(entry, dict):
        wrong_type(source, path, 'a table with either env = "NAME" or file = "PATH"', cast("Table", entry))
    return path, said, places if len(places) == 1 else None


def _scheme(variable: str, kind: ProviderKind | None, auth: str) -> str:
    """Return the scheme of a credential; a scheme that is not known is a problem of its own, said elsewhere."""
    if kind is not None and not auth:
        auth = kind.credential_auth.get(variable, "") or kind.auth
    return auth if auth in SCHEMES else "bearer"


def _of_text(text: str, kind: ProviderKind | None, auth: str) -> Credential:
    text = text.strip()
    return Credential(Secret(text), fault=fault_of(text, _scheme("", kind, auth)))


def _of_variable(variable: str, environ: Mapping[str, str], kind: ProviderKind | None, auth: str) -> Credential:
    scheme = _scheme(variable, kind, auth)
    text = environ.get(variable, "").strip()
    fault = None
    try:
        text = _READERS[scheme](variable, text, environ) if text and scheme in _READERS else text
    except (OSError, UnicodeDecodeError):
        fault = "settings.unreadable_credential"
    own = "" if auth or kind is None else kind.credential_auth.get(variable, "")
    return Credential(Secret(text), variable, own, fault or fault_of(text, scheme))


def _aws_keys(variable: str, text: str, environ: Mapping[str, str]) -> str:
    """Join the variables of one set of AWS keys, which the id of the key names; any other holds them joined already."""
    prefix = variable.removesuffix("ACCESS_KEY_ID")
    if prefix == variable:
        return text
    secret = environ.get(prefix + "SECRET_ACCESS_KEY", "").strip()
    session = environ.get(prefix + "SESSION_TOKEN", "").strip()
    return f"{text}:{secret}:{session}" if session else f"{text}:{secret}"


def _google_file(_variable: str, text: str, _environ: Mapping[str, str]) -> str:
    """Return the JSON itself, or that of the file which GOOGLE_APPLICATION_CREDENTIALS names."""
    return text if text.startswith("{") else _text_of(FilePath(text).expanduser())


_READERS: Mapping[str, Callable[[str, str, Mapping[str, str]], str]] = {
    "aws_sigv4": _aws_keys,
    "google_oauth": _google_file,
}
"""The schemes whose credentials are not simply what a variable holds."""


def _text_of(file: FilePath) -> str:
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES).decode("utf-8").strip()


def _checked(source: Source, path: Path, found: Credential, origin: str) -> Credential | None:
    if found.fault is None:
        return found
    source.problem(path, found.fault, source=origin)
    return None
