"""The whole list of losses in one bounded column."""

from anykey.conversation.losses import Loss
from anykey.storage.loss_details import MOST_BYTES, MOST_LOSSES, pack, unpack


def losses(count: int, reason: str = "why") -> tuple[Loss, ...]:
    return tuple(Loss("dropped", f"tools[{number}]", reason) for number in range(count))


def test_all_of_them_come_back() -> None:
    for count in (1, MOST_LOSSES):
        assert unpack(pack(losses(count))) == losses(count)
    mixed = (Loss("emulated", "stop", "é"), Loss("approximated", "x", "", "response"))
    assert unpack(pack(mixed)) == mixed
    assert unpack(None) is None


def test_too_many_are_cut_and_it_is_said() -> None:
    found = unpack(pack(losses(1000)))
    assert found is not None
    assert found[:-1] == losses(MOST_LOSSES - 1)
    assert found[-1].reason == f"{1000 - MOST_LOSSES + 1} more are not listed"


def test_so_are_too_long_ones() -> None:
    text = pack(losses(100, "x" * 1000))
    assert len(text.encode()) <= MOST_BYTES
    found = unpack(text)
    assert found is not None
    assert len(found) > 20
    assert found[-1].reason == f"{100 - len(found) + 1} more are not listed"
    assert len(unpack(pack(losses(1, "é" * MOST_BYTES))) or ()) == 1
