"""What is packed comes back, smaller."""

from anykey.storage.packing import pack, unpack


def test_texts_come_back_and_nothing_stays_nothing() -> None:
    text = b'{"role":"user"},' * 200
    assert unpack(pack(text)) == text
    assert len(pack(text)) < len(text) / 10
    assert (pack(b""), unpack(b"")) == (b"", b"")
