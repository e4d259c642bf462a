"""The way out to one deployment with one credential: what every call on it has in common, made once, and what each call adds.

A credential leaves the process here and nowhere else: in headers made once, at the end of the URL, as a signature over the call,
or as an access token that stands for it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from anykey.exchange.ports import Headers
from anykey.exchange.reasoning_memory import demands_echo
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.providers.auth import SCHEMES, SignedCall
from anykey.providers.auth.binding import may_send
from anykey.providers.configured import StoredCredential, Timeouts
from anykey.providers.secret import Secret
from anykey.routing.plan import PlanStep
from anykey.routing.pool import mark_of
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenSource
from anykey.version import VERSION

WAYS_KEPT = 4096
COMMON_HEADERS: Headers = (
    (b"content-type", b"application/json"),
    (b"user-agent", f"anykey/{VERSION}".encode()),
)
MODEL_PLACE = "{model}"


class WayOut(msgspec.Struct, frozen=True):
    """``headers`` hold the credential where its scheme is a header. ``mark`` names the credential as it is now: a changed secret
    has another mark. ``told`` are the headers by which an answer names its maker."""

    step: PlanStep
    credential: StoredCredential | None
    mark: str
    dialect: Any
    echoes: bool
    """The upstream wants back what it thought (``reasoning_memory``)."""
    headers: Headers
    timeouts: Timeouts
    door: str
    """The endpoint's URL with the model in its place."""
    url: str
    stream_url: str
    name: bytes
    """The deployment's id, for the answer's header."""
    told: Headers
    scheme: str
    authorised: bool
    """``headers`` are all that the scheme needs."""

    @property
    def by_token(self) -> bool:
        """What goes out is an access token, not the credential itself."""
        return self.credential is not None and SCHEMES[self.scheme].grant is not None

    @property
    def pair(self) -> tuple[str, str]:
        """What a circuit belongs to."""
        return self.step.deployment.id, self.mark

    def shown(self, secret: Secret) -> Headers:
        """Another secret as the headers of this way's scheme."""
        return SCHEMES[self.scheme if self.scheme != "none" else "bearer"].headers(secret)

    def __repr__(self) -> str:
        return f"WayOut({self.name!r})"


class Ways:
    """The ways that were used before. Two caches: by the step itself, which a plan that is kept always has, and by what a step
    says, for steps that are made for one call."""

    __slots__ = ("_by_name", "_by_step")

    def __init__(self) -> None:
        self._by_step: dict[int, WayOut] = {}
        self._by_name: dict[tuple[Any, ...], WayOut] = {}

    def __len__(self) -> int:
        return max(len(self._by_step), len(self._by_name))

    def first(self, step: PlanStep) -> WayOut:
        """The way with the first credential, or with the only one."""
        way = self._by_step.get(id(step))
        if way is not None and way.step is step:  # an id is another step's as soon as its own is gone
            return way
        credentials = step.endpoint.credentials
        way = self._named(step, credentials[0] if credentials else None)
        if len(self._by_step) >= WAYS_KEPT:  # model names come from callers, so there may be any number of them
            self._by_step.clear()
        self._by_step[id(step)] = way
        return way

    def of(self, step: PlanStep, credential: StoredCredential | None) -> WayOut:
        """The way with this credential."""
        credentials = step.endpoint.credentials
        if not credentials or credential is credentials[0]:
            return self.first(step)
        return self._named(step, credential)

    def clear(self) -> None:
        """Forget all of them: the configuration has changed."""
        self._by_step.clear()
        self._by_name.clear()

    def _named(self, step: PlanStep, credential: StoredCredential | None) -> WayOut:
        key = (step.deployment.id, step.endpoint.protocol, step.endpoint.url, step.timeout_s, credential)
        way = self._by_name.get(key)
        if way is None or way.step.endpoint is not step.endpoint:
            if len(self._by_name) >= WAYS_KEPT:
                self._by_name.clear()
            way = self._by_name[key] = make_way(step, credential)
        return way if way.step is step else msgspec.structs.replace(way, step=step)


def make_way(step: PlanStep, credential: StoredCredential | None) -> WayOut:
    """Make one anew. A host of the caller's own gets neither a credential nor a header of ours, and a credential goes nowhere but
    to its origin."""
    endpoint, deployment = step.endpoint, step.deployment
    codec = UPSTREAM_CODECS[endpoint.protocol]
    door = endpoint.url.replace(MODEL_PLACE, quote(deployment.model, safe=""))
    bound = credential.origin if credential is not None else None
    if step.custom is not None or (bound is not None and not may_send(bound, door)):
        credential = None
    scheme = (credential.auth if credential is not None else "") or endpoint.auth or "none"
    shown = SCHEMES[scheme]
    secret = credential.secret if credential is not None else None
    own = (shown.headers(secret) if secret is not None else ()) + (endpoint.headers if step.custom is None else ())
    taken = {name for name, _ in own}
    dialect = codec.dialect(dict(endpoint.dialect))
    name = deployment.id.encode("ascii", "replace")
    timeouts = endpoint.timeouts
    if step.timeout_s is not None:
        timeouts = msgspec.structs.replace(
            timeouts,
            first_byte_s=min(timeouts.first_byte_s, step.timeout_s),
            total_s=min(timeouts.total_s, step.timeout_s),
        )
    return WayOut(
        step=step,
        credential=credential,
        mark=mark_of(credential, endpoint.provider),
        dialect=dialect,
        echoes=demands_echo(dialect),
        headers=own + tuple(pair for pair in COMMON_HEADERS if pair[0] not in taken),
        timeouts=timeouts,
        door=door,
        url=codec.call_url(door, deployment.model, stream=False),
        stream_url=codec.call_url(door, deployment.model, stream=True),
        name=name,
        told=maker_headers(step),
        scheme=scheme,
        authorised=secret is None or not (shown.query or shown.sign or shown.grant),
    )


def maker_headers(step: PlanStep) -> Headers:
    """Whom an answer comes from, as its headers name it."""
    return tuple(
        (name, text.encode("ascii", "replace"))
        for name, text in (
            (b"x-anykey-provider", step.endpoint.provider),
            (b"x-anykey-model", step.deployment.model),
            (b"x-anykey-deployment", step.deployment.id),
        )
    )


async def authorise(call: Call, way: WayOut, tokens: TokenSource, at_s: float) -> Call:
    """``call`` with what its scheme adds to each one; for ways that are not ``authorised``. UpstreamError or TokenRefused: there
    is no access token."""
    scheme = SCHEMES[way.scheme]
    if way.credential is None:
        return call
    secret = way.credential.secret
    if scheme.grant is not None:
        token: Secret = await tokens.get(way.scheme, secret)
        return msgspec.structs.replace(call, headers=call.headers + SCHEMES["bearer"].headers(token))
    if scheme.query is not None:
        url = f"{call.url}{'&' if '?' in call.url else '?'}{scheme.query(secret)}"
        call = msgspec.structs.replace(call, url=url)
    if scheme.sign is not None:
        region = way.step.endpoint.region
        asked = SignedCall(
            call.method, call.url, call.headers, call.body, int(at_s), "" if region == "global" else region
        )
        signed = scheme.sign(secret, asked)
        call = msgspec.structs.replace(call, headers=call.headers + signed)
    return call
