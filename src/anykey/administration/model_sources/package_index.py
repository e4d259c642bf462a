"""Gets the newest wheel of a package from a Python package index: its simple API as JSON (PEP 691) or, as many mirrors still have
it, as HTML (PEP 503).

Law: a wheel is used only if its SHA-256 is the one the index gave. Credentials of the index's URL go to the index's host alone.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.model_sources.files import FILE_BYTES_MAX
from anykey.providers.configured import Timeouts
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call

DEFAULT_INDEX = "https://pypi.org/simple/"
_PAGE_BYTES_MAX = 64 * 1024 * 1024
_REDIRECTS_MAX = 3
_TIMEOUTS = Timeouts(connect_s=10, first_byte_s=60, idle_s=30, total_s=600)
_ACCEPT = (b"accept", b"application/vnd.pypi.simple.v1+json, text/html;q=0.5")
# A release: no pre-release, nothing local. Wheels of one version differ by platform only, and the data in them does not.
_WHEEL = re.compile(r"[A-Za-z0-9_.]+?-(\d+(?:\.\d+)*)(?:\.post\d+)?(?:-\d\w*)?-[^-]+-[^-]+-[^-]+\.whl\Z")


class Index(NamedTuple):
    """A package index: its URL without credentials, and the header they make."""

    url: str
    authorization: bytes

    @classmethod
    def from_url(cls, url: str) -> "Index":
        """Read an index's URL, which may hold `user:password@`."""
        parts = urlsplit(url)
        credentials, _, host = parts.netloc.rpartition("@")
        bare = urlunsplit((parts.scheme, host, parts.path.rstrip("/") + "/", "", ""))
        encoded = base64.b64encode(unquote(credentials).encode()) if credentials else b""
        return cls(bare, b"Basic " + encoded if encoded else b"")

    def __repr__(self) -> str:
        return f"Index({self.url!r})"


class Wheel(NamedTuple):
    """A wheel as the index lists it. `day` is when it was uploaded, empty where the index does not say."""

    name: str
    url: str
    sha256: str
    version: str
    day: str


def index_of(environ: Mapping[str, str]) -> str:
    """The index of this environment, as pip reads it."""
    return environ.get("PIP_INDEX_URL", "").strip() or DEFAULT_INDEX


async def newest_wheel(client: UpstreamClient, index: Index, package: str) -> Wheel:
    """The newest release of `package` that has a wheel with a hash. Raises AdministrationError."""
    page = urljoin(index.url, f"{package}/")
    body = await _get(client, index, page, _PAGE_BYTES_MAX)
    try:
        listed = _json_rows(body) if body.lstrip()[:1] == b"{" else _html_rows(body)
        wheels = [wheel for row in listed if (wheel := _wheel(page, row)) is not None]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise AdministrationError("catalogue.no_index", url=index.url) from error
    if not wheels:
        raise AdministrationError("catalogue.no_wheel", package=package, url=index.url)
    return max(wheels, key=lambda wheel: (_ordered(wheel.version), wheel.name))


async def download(client: UpstreamClient, index: Index, wheel: Wheel) -> bytes:
    """The wheel's bytes, checked. Raises AdministrationError."""
    data = await _get(client, index, wheel.url, FILE_BYTES_MAX)
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise AdministrationError("catalogue.wrong_hash", file=wheel.name)
    return data


def _json_rows(body: bytes) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", msgspec.json.decode(body)["files"])


def _html_rows(body: bytes) -> list[dict[str, Any]]:
    """The links of a page in the form of JSON's rows; the hash is behind the `#` of each."""
    links = _Links()
    links.feed(body.decode("utf-8", "replace"))
    if not links.rows:
        raise KeyError("files")
    return links.rows


class _Links(HTMLParser):
    """Gathers the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of a link, and what its attributes say of the file."""
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            url, _, fragment = str(found["href"]).partition("#")
            self.rows.append(
                {
                    "filename": unquote(url.rpartition("/")[2]),
                    "url": url,
                    "hashes": dict([fragment.split("=", 1)]) if "=" in fragment else {},
                    "yanked": "data-yanked" in found,
                    "upload-time": found.get("data-upload-time"),
                }
            )


def _wheel(page: str, row: Mapping[str, Any]) -> Wheel | None:
    name, digest = str(row["filename"]), row.get("hashes", {}).get("sha256")
    found = _WHEEL.match(name)
    if found is None or not digest or row.get("yanked"):
        return None
    day = str(row.get("upload-time") or "")[:10]
    return Wheel(name, urljoin(page, str(row["url"])).partition("#")[0], str(digest).lower(), found[1], day)


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


async def _get(client: UpstreamClient, index: Index, url: str, limit: int) -> bytes:
    """The body at `url` after redirects, which may not lead from https to http."""
    for _ in range(_REDIRECTS_MAX + 1):
        ours = urlsplit(url).netloc == urlsplit(index.url).netloc and index.authorization
        headers = (_ACCEPT, (b"authorization", index.authorization)) if ours else (_ACCEPT,)
        try:
            reply = await client.send(Call("GET", url, headers, timeouts=_TIMEOUTS, decode=True))
        except (UpstreamError, ValueError) as error:
            raise AdministrationError("catalogue.unreachable", url=url, reason=error) from error
        try:
            location = reply.header(b"location")
            if reply.status in {301, 302, 303, 307, 308} and location is not None:
                target = urljoin(url, location.decode("latin-1"))
                if url.startswith("https:") and not target.startswith("https:"):
                    raise AdministrationError("catalogue.unreachable", url=url, reason="redirected to http")
                url = target
                continue
            if reply.status != 200:
                raise AdministrationError("catalogue.unreachable", url=url, reason=f"HTTP {reply.status}")
            return await reply.read(limit)
        except UpstreamError as error:
            raise AdministrationError("catalogue.unreachable", url=url, reason=error) from error
        finally:
            reply.abort()
    raise AdministrationError("catalogue.unreachable", url=url, reason="too many redirects")
