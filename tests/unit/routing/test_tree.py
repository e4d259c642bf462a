"""The leaves of a tree."""

from anykey.routing.tree import Balance, Branch, Conditional, Fallback, Target, leaves_of

A, B, C, D = (Target("lab", name) for name in "abcd")


def test_the_leaves_come_as_they_are_written() -> None:
    node = Fallback((A, Balance((B, Conditional((Branch("x", lambda _: True, C),), D)))))
    assert list(leaves_of(node)) == [A, B, C, D]
    assert list(leaves_of(Conditional((), None))) == []
