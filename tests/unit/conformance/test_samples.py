"""The samples are what they say they are."""

import base64
import re
import struct
import zlib

from anykey.conformance.samples import long_text, one_page, red_square


def test_a_long_text_begins_as_told_and_has_that_many_words() -> None:
    text = long_text("The name is X.", 40)
    assert text.startswith("The name is X. ")
    assert len(text.split()) == 40
    assert long_text("a b c", 2) == "a b c"


def test_the_square_is_a_png_of_one_red() -> None:
    data = base64.b64decode(red_square(8))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        name, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size]) == (zlib.crc32(name + content),)
        chunks[name] = content
        place += 12 + size
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (8, 8)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert rows == (b"\x00" + b"\xe0\x10\x10" * 8) * 8
    assert list(chunks)[-1] == b"IEND"


def test_the_page_is_a_pdf_whose_table_of_places_is_true() -> None:
    file = base64.b64decode(one_page("The code is VX. " + "word " * 30))
    assert file.startswith(b"%PDF-1.4\n")
    assert file.endswith(b"%%EOF\n")
    found = re.search(rb"startxref\n(\d+)\n", file)
    assert found
    assert file[int(found[1]) :].startswith(b"xref\n0 6\n")
    places = re.findall(rb"(\d{10}) 00000 n ", file)
    assert len(places) == 5
    assert all(file[int(place) :].startswith(b"%d 0 obj" % number) for number, place in enumerate(places, 1))
    content = re.search(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", file, re.DOTALL)
    assert content
    assert len(content[2]) == int(content[1])
    assert b"(The code is VX. word" in content[2]
