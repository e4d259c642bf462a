"""What a client understands of an answer that may have been cut anywhere."""

import pytest

from tests.crash.load import Heard, read

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"


def test_whole_answers() -> None:
    assert read(WHOLE) == Heard(200, whole=True)
    assert read(STREAM) == Heard(200, whole=True)
    assert read(b"HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n") == Heard(429, whole=True)


@pytest.mark.parametrize("answer", [WHOLE, STREAM])
def test_an_answer_cut_anywhere_is_not_whole(answer: bytes) -> None:
    begun = answer.index(b"\r\n\r\n") + 4
    for cut in range(len(answer)):
        assert read(answer[:cut]) == Heard(200 if cut >= begun else 0, whole=False)
