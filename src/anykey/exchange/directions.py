"""What a call says in its headers of where it wants to go: `x-anykey-*`, and Portkey's `x-portkey-*` in the same sense.

    x-anykey-provider        @byteplus or byteplus        x-portkey-provider, or -virtual-key, as it was called
    x-anykey-config          name, name@3, or JSON        x-portkey-config
    x-anykey-metadata        JSON, an object of texts     x-portkey-metadata
    x-anykey-trace-id        printable, 128 characters    x-portkey-trace-id, else W3C traceparent
    x-anykey-region          eu-west-1                    x-portkey-byteplus-region
    x-anykey-custom-host     https://…/v1, admin keys     x-portkey-custom-host
    x-anykey-timeout         milliseconds                 x-portkey-request-timeout
    x-anykey-upstream-key    the custom host's credential; else `Authorization`, where our own key came as x-portkey-api-key

Ours wins where both are there. A value that cannot be meant is refused with a 400 that names its header; other `x-portkey-*` are
ignored, as the SDK sends them unasked. None of these headers goes upstream. A call without any of them costs one look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.metadata import NO_METADATA, header_metadata
from anykey.protocols.codec import Headers
from anykey.providers.secret import Secret
from anykey.routing.hosts import check_public_host

_NAMES: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("provider", (b"x-anykey-provider", b"x-portkey-provider", b"x-portkey-virtual-key")),
    ("config", (b"x-anykey-config", b"x-portkey-config")),
    ("metadata", (b"x-anykey-metadata", b"x-portkey-metadata")),
    ("trace", (b"x-anykey-trace-id", b"x-portkey-trace-id")),
    ("region", (b"x-anykey-region", b"x-portkey-byteplus-region")),
    ("host", (b"x-anykey-custom-host", b"x-portkey-custom-host")),
    ("timeout", (b"x-anykey-timeout", b"x-portkey-request-timeout")),
    ("upstream_key", (b"x-anykey-upstream-key",)),
)
_TRACEPARENT = b"traceparent"
_PORTKEY_KEY = b"x-portkey-api-key"
_OURS = frozenset({_TRACEPARENT, _PORTKEY_KEY, *(header for _, headers in _NAMES for header in headers)})

_WORD = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TRACE = re.compile(r"[\x21-\x7e]{1,128}")
_TRACEPARENT_SHAPE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_CONFIG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[1-9][0-9]{0,8})?")
_MILLISECONDS = re.compile(r"0*[1-9][0-9]{0,7}")  # a day at most, about
_SECRET = re.compile(r"[\x21-\x7e]{1,8192}")


class Directions(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers say. `config` is a name, `name@version` or JSON text. `trace_id` None: none was given.
    `upstream_key` is the caller's own credential, for a host of his own and for nobody else."""

    provider: str | None = None
    config: str | None = None
    metadata: Mapping[str, str] = NO_METADATA
    trace_id: str | None = None
    region: str | None = None
    custom_host: str | None = None
    timeout_s: float | None = None
    upstream_key: Secret | None = None

    @property
    def steers(self) -> bool:
        """They say where the call goes, and not only what it is called."""
        return not (self.provider is self.config is self.region is self.custom_host is None)

    @property
    def inline(self) -> bool:
        """The config is written out in the header."""
        return self.config is not None and self.config.startswith("{")

    @property
    def names_hosts(self) -> bool:
        """A custom host of this call is the caller's word, so only public addresses may be dialled for it."""
        return self.custom_host is not None or self.inline


NO_DIRECTIONS = Directions()


def directions_of(headers: Headers, *, admin: bool) -> Directions:
    """What `headers` (lower-case names) direct. FailureError 400: a value that cannot be meant; 403: a custom host, and the key
    is no admin's."""
    for name, _ in headers:
        if name in _OURS:
            return _read(dict(headers), admin=admin)
    return NO_DIRECTIONS


def _read(named: dict[bytes, bytes], *, admin: bool) -> Directions:
    said: dict[str, tuple[str, str]] = {}
    for field, candidates in _NAMES:
        for name in candidates:
            if value := named.get(name, b"").strip():
                said[field] = (name.decode(), _text(name.decode(), value))
                break
    host = _host(said.get("host"), admin=admin)
    directions = Directions(
        provider=_word(said.get("provider")),
        config=_config(said.get("config")),
        metadata=header_metadata(*said["metadata"]) if "metadata" in said else NO_METADATA,
        trace_id=_trace_id(said.get("trace"), named.get(_TRACEPARENT)),
        region=_word(said.get("region")),
        custom_host=host,
        timeout_s=_timeout_s(said.get("timeout")),
        upstream_key=_upstream_key(said.get("upstream_key"), named),
    )
    if host is not None and directions.config is not None:
        raise _bad(said["host"][0], "a config and a custom host were sent at once; name the host in the config")
    return directions


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _bad(name, "it is not UTF-8") from None


def _word(said: tuple[str, str] | None) -> str | None:
    if said is None:
        return None
    if not _WORD.fullmatch(said[1]):
        raise _bad(said[0], "it must be one name of letters, digits, '.', '_' and '-'")
    return said[1]


def _config(said: tuple[str, str] | None) -> str | None:
    if said is None or said[1].startswith("{") or _CONFIG_NAME.fullmatch(said[1]):
        return said[1] if said else None
    raise _bad(said[0], "it must be the name of a config, name@version, or a JSON object")


def _trace_id(said: tuple[str, str] | None, traceparent: bytes | None) -> str | None:
    """A traceparent that is malformed is ignored, as W3C Trace Context (section 3.2.2) wants it."""
    if said is not None:
        if not _TRACE.fullmatch(said[1]):
            raise _bad(said[0], "it must be 1 to 128 printable ASCII characters without spaces")
        return said[1]
    found = None if traceparent is None else _TRACEPARENT_SHAPE.fullmatch(traceparent)
    return None if found is None else found[1].decode()


def _host(said: tuple[str, str] | None, *, admin: bool) -> str | None:
    if said is None:
        return None
    if not admin:
        text = f"{said[0]}: only admin keys may name a host of their own ('anykey keys update ID --admin')."
        raise FailureError(Failure("permission", text, param=said[0]))
    fault = check_public_host(said[1])
    if fault is not None:
        raise _bad(said[0], fault)
    return said[1].rstrip("/")


def _timeout_s(said: tuple[str, str] | None) -> float | None:
    if said is None:
        return None
    if not _MILLISECONDS.fullmatch(said[1]):
        raise _bad(said[0], "it must be a number of milliseconds, from 1 to 99999999")
    return int(said[1]) / 1000


_NO_KEY = "OPENAI_API_KEY"


def _upstream_key(said: tuple[str, str] | None, named: dict[bytes, bytes]) -> Secret | None:
    """Portkey's clients send the provider's own credential as `Authorization`; what looks like a key of ours is none, and neither
    is the word that its Python SDK sends where there is no credential."""
    if said is not None:
        if not _SECRET.fullmatch(said[1]):
            raise _bad(said[0], "it must be printable ASCII without spaces")
        return Secret(said[1])
    value = named.get(b"authorization", b"")
    if _PORTKEY_KEY not in named or value[:7].lower() != b"bearer " or value[7:10] == b"ak-":
        return None
    text = value[7:].strip().decode("latin-1")
    return Secret(text) if _SECRET.fullmatch(text) and text != _NO_KEY else None


def _bad(header: str, what: str) -> FailureError:
    return invalid(what, header)
