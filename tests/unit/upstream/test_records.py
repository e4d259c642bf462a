"""What a call shows of itself, and the limits it has when it names none."""

from anykey.providers.configured import Timeouts
from anykey.upstream.records import Call


def test_a_call_does_not_show_its_secrets() -> None:
    call = Call("POST", "http://a.test/?key=secret", ((b"authorization", b"Bearer secret"),), b"secret")
    assert repr(call) == "Call(POST, 6 bytes)"


def test_the_four_limits() -> None:
    timeouts = Call("GET", "http://a.test/", ()).timeouts
    assert timeouts == Timeouts(connect_s=5, first_byte_s=120, idle_s=60, total_s=1800)
