"""Request ids have the shape SDKs know and do not repeat."""

import re

from anykey.telemetry.identity import new_request_id


def test_shape_and_uniqueness() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("req_[0-9a-f]{24}", one) for one in ids)
