"""The records of a scheme do not show what they carry."""

from anykey.providers.auth.scheme import AccessToken, SignedCall, TokenRequest
from anykey.providers.secret import Secret


def test_no_record_shows_a_secret() -> None:
    records = (
        SignedCall("POST", "https://h.test/?key=s3cret", ((b"x-a", b"s3cret"),), b"s3cret", 0),
        TokenRequest("https://h.test/?s3cret", ((b"x-a", b"s3cret"),), b"assertion=s3cret"),
        AccessToken(Secret("s3cret"), 3600),
    )
    for record in records:
        assert "s3cret" not in repr(record) + str(record) + f"{record}"
    assert repr(records[0]) == "SignedCall(POST, 6 bytes)"
