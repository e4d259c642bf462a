"""Lanes are told apart by identity: two to the same place do not share connections."""

from anykey.upstream.lane import Lane


def test_a_lane_is_itself_only() -> None:
    lane, other = (Lane("https", "a.test", 443, None) for _ in range(2))
    assert lane.peer == "a.test:443"
    assert len({lane, other}) == 2
