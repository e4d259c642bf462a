"""Where the gateway listens, and what stands around it: the proxies before it, the Valkey beside it."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from anykey.accounts.networks import network_of
from anykey.providers.secret import Secret
from anykey.settings.records import ServerSettings
from anykey.settings.schema import SERVER, VALKEY
from anykey.settings.section import Path, Source, read_section

VALKEY_VARIABLE = "ANYKEY_VALKEY_URL"
_SCHEMES = frozenset({"valkey", "valkeys", "redis", "rediss"})


def read_server(source: Source, table: object) -> ServerSettings:
    """The `[server]` section. Problems go to `source`."""
    values = read_section(source, ("server",), table, SERVER)
    path: Path = ("server", "trusted_proxies")
    values["trusted_proxies"] = tuple(text for text in values["trusted_proxies"] if _is_network(source, path, text))
    return ServerSettings(**values)


def read_valkey(source: Source, table: object, environ: Mapping[str, str]) -> Secret | None:
    """The URL of a Valkey or Redis server: that of the environment, else that of the file; None: there is none. It may hold a
    password, so no problem repeats it."""
    values = read_section(source, ("valkey",), table, VALKEY)
    given = environ.get(VALKEY_VARIABLE, "").strip()
    text = given or values["url"]
    if text is None:
        return None
    if not _is_valkey_url(text):
        source.problem((VALKEY_VARIABLE,) if given else ("valkey", "url"), "settings.bad_valkey_url")
        return None
    return Secret(text)


def _is_network(source: Source, path: Path, text: str) -> bool:
    try:
        network_of(text)
    except ValueError:
        source.problem(path, "settings.bad_network", found=repr(text))
        return False
    return True


def _is_valkey_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return (parts.scheme in _SCHEMES and bool(parts.hostname)) or (parts.scheme == "unix" and bool(parts.path))
