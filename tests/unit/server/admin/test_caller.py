"""Who calls, as operations are told."""

from typing import Any

from anykey.accounts.keys import ApiKey, actor_of
from anykey.server.admin.caller import CALLER_KEY, Caller, Premises, caller_in


def test_a_caller_knows_its_house() -> None:
    home: Any = object()
    gateway: Any = None
    premises = Premises(gateway, home, lambda: gateway)
    key = ApiKey(id="k", name="n", digest=b"", last4="", created_at=0, organisation="org")
    caller = Caller(key, actor_of(key), premises, "en", "req_1")
    assert caller.home is home
    assert caller_in({CALLER_KEY: caller}) is caller
    assert premises.topup_secret.reveal() == ""
