"""Which database: `ANYKEY_DATABASE_URL`, else what stands in the file that `ANYKEY_DATABASE_URL_FILE` names, else `url` of
`[database]`, else the file in the data directory.

A URL holds a password, so neither it nor a part of it is ever put into a problem.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from anykey.providers.secret import Secret
from anykey.settings.schema import DATABASE
from anykey.settings.section import Source, read_section

URL_VARIABLE = "ANYKEY_DATABASE_URL"
FILE_VARIABLE = "ANYKEY_DATABASE_URL_FILE"
_HOST = r"([A-Za-z0-9._%-]*|\[[0-9A-Fa-f:.%]*\])(:[0-9]*)?"
_HOSTS = re.compile(f"{_HOST}(,{_HOST})*")


def read_database(source: Source, table: object, environ: Mapping[str, str]) -> Secret | None:
    """The URL of a PostgreSQL database; None for the file of the data directory. Problems go to `source`."""
    values = read_section(source, ("database",), table, DATABASE)
    if given := environ.get(URL_VARIABLE, "").strip():
        return _checked(source, (URL_VARIABLE,), given)
    if named := environ.get(FILE_VARIABLE, "").strip():
        try:
            text = Path(named).expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            source.problem((FILE_VARIABLE,), "settings.unreadable", reason=f"{named}: {reason}")
            return None
        return _checked(source, (FILE_VARIABLE,), text)
    return None if values["url"] is None else _checked(source, ("database", "url"), values["url"].strip())


def is_database_url(text: str) -> bool:
    """Whether it is a URL whose parts libpq reads as we do: nothing of a password can end up in its complaint about a host."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    user, _, hosts = parts.netloc.rpartition("@")
    plain = _HOSTS.fullmatch(hosts) and "@" not in user + parts.path + parts.query and not parts.fragment
    return parts.scheme in {"postgresql", "postgres"} and bool(plain) and "\0" not in text


def _checked(source: Source, path: tuple[str, ...], text: str) -> Secret | None:
    if is_database_url(text):
        return Secret(text)
    source.problem(path, "settings.bad_database_url")
    return None
