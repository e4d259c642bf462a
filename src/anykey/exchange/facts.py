"""What a call says of itself, for scenarios and conditions: its body counted, its headers without credentials, its client."""

from __future__ import annotations

import re

from anykey.clients.helper_calls import Spoken, helper_call
from anykey.exchange.body_facts import read_body
from anykey.exchange.exchange import Exchange
from anykey.protocols.codec import Headers
from anykey.routing.ask import Facts, Grant

_LONGEST_VALUE = 2048
_SECRET = re.compile(rb"key|auth|token|secret|cookie|passw|credential|signature")
"""No header whose name holds one of these can be named by a condition: it is a credential, or may be one."""
_SELF_DESCRIPTION = "x-codex-turn-metadata"


def facts_of(exchange: Exchange, grant: Grant) -> Facts:
    """The facts of a call whose key, model and metadata are known. A malformed body says nothing and raises nothing."""
    body = read_body(exchange.body)
    headers = visible_headers(exchange.headers)
    described = headers.get(_SELF_DESCRIPTION) or body.client_metadata.replace('\\"', '"')
    spoken = Spoken(body.system, body.asked, exchange.model, described, body.max_tokens)
    return Facts(
        model=exchange.model,
        protocol=exchange.codec.name,
        client=exchange.client,
        key=grant.key,
        group=grant.group,
        stream=exchange.stream,
        tokens=body.tokens,
        max_tokens=body.max_tokens,
        tools=body.tools,
        images=body.images,
        web_search=body.web_search,
        thinking=body.thinking,
        effort=body.effort,
        background=helper_call(exchange.client, spoken),
        metadata=exchange.metadata,
        headers=headers,
    )


def visible_headers(headers: Headers) -> dict[str, str]:
    """The headers that hold no credential, names lower case, long values cut."""
    return {
        name.decode("latin-1"): value[:_LONGEST_VALUE].decode("latin-1")
        for name, value in headers
        if not _SECRET.search(name)
    }
