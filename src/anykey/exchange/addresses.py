"""A key with lists of networks may only be used from where these let it."""

from __future__ import annotations

from anykey.accounts.keys import ApiKey
from anykey.accounts.networks import Network, caller_of, may_call_from
from anykey.conversation.failures import Failure, FailureError
from anykey.protocols.codec import Headers


def check_address(key: ApiKey, peer: str | None, headers: Headers, trusted: tuple[Network, ...]) -> None:
    """FailureError 403: ``key`` may not be used from where this call comes from. ``peer`` is the connection's address; None, an
    address that nobody knows, is nowhere a key with lists may be used from."""
    address = caller_of(peer, headers, trusted)
    if not may_call_from(address, key.ip_allow, key.ip_deny):
        where = str(address) if address is not None else "an unknown address"
        message = f"The API key may not be used from {where}. Its owner can change its lists of networks."
        raise FailureError(Failure("permission", message, code="address_not_allowed", should_retry=False))
