"""Who is refused for where he calls from."""

import pytest

from anykey.accounts.keys import ApiKey
from anykey.accounts.networks import networks_of
from anykey.conversation.failures import FailureError
from anykey.exchange.addresses import check_address

KEY = ApiKey(id="k", name="k", digest=b"", last4="", created_at=0, ip_allow=("192.0.2.0/24",))
TRUSTED = networks_of(("10.0.0.0/8",))


def test_the_refusal_names_the_address_that_counted() -> None:
    check_address(KEY, "192.0.2.1", (), ())
    check_address(KEY, "10.0.0.1", ((b"x-forwarded-for", b"192.0.2.1"),), TRUSTED)
    for peer, where in (("203.0.113.7", "from 203.0.113.7"), (None, "from an unknown address")):
        with pytest.raises(FailureError, match=where) as refused:
            check_address(KEY, peer, ((b"x-forwarded-for", b"192.0.2.1"),), TRUSTED)
        failure = refused.value.failure
        assert (failure.kind, failure.code, failure.should_retry) == ("permission", "address_not_allowed", False)
