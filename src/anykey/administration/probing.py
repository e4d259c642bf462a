"""Tries a model with one real call of a few tokens, as the gateway itself would make it. It costs what such a call costs."""

import time

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.models import configured
from anykey.administration.provider_calls import ProviderCaller
from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.usage import Usage
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.routing.building import provider_of
from anykey.routing.snapshot import deployment_of
from anykey.settings import Settings
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.tokens import TokenRefused

WORDS = "Answer with the one word: pong"
OUTPUT_TOKENS = 16


class Probed(msgspec.Struct, frozen=True):
    """What one tiny call came to. `status` is the upstream's; `problem` is what it said, None when it answered."""

    provider: str
    model: str
    protocol: str
    status: int
    latency_ms: int
    usage: Usage | None = None
    problem: str | None = None


async def probe(client: UpstreamClient, settings: Settings, name: str) -> Probed:
    """Send one real call of a few tokens to `provider/model`. Raises AdministrationError for a name that cannot be called."""
    path, _, model = name.removeprefix("@").partition("/")
    if not model:
        raise AdministrationError("models.not_a_path", name=name)
    provider = configured(settings, path)
    if provider.kind.built_in:
        raise AdministrationError("models.built_in", provider=provider.name)
    deployment = deployment_of(provider_of(provider), model)
    protocol = next(iter(deployment.endpoints), None)
    if protocol is None:
        raise AdministrationError("models.no_door", provider=provider.name)
    endpoint, codec = deployment.endpoints[protocol], UPSTREAM_CODECS[protocol]
    door = next(door for door in provider.endpoints if door.protocol == protocol)
    dialect = codec.dialect(dict(endpoint.dialect))
    words = (Message("user", (TextPart(WORDS),)),)
    body = codec.encode_request(GenerateRequest(model, words, max_output_tokens=OUTPUT_TOKENS), dialect).body
    headers = codec.request_headers((), dialect, verbatim=False)
    began = time.monotonic()
    try:
        url = codec.call_url(endpoint.url, model, stream=False)
        answer = await ProviderCaller(client, provider).post(door, url, headers, body)
    except (UpstreamError, TokenRefused, ValueError) as error:
        return Probed(provider.name, model, protocol, 0, _since_ms(began), problem=str(error))
    latency_ms = _since_ms(began)
    if answer.status != 200:
        problem = codec.decode_failure(answer.status, answer.headers, answer.body).message
        return Probed(provider.name, model, protocol, answer.status, latency_ms, problem=problem)
    try:
        usage = codec.decode_response(answer.body, dialect).value.usage
    except FailureError as error:
        return Probed(provider.name, model, protocol, answer.status, latency_ms, problem=error.failure.message)
    return Probed(provider.name, model, protocol, answer.status, latency_ms, usage)


def _since_ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
