"""What is sent: a picture, a document, tools and texts, small and made here.

``LONG`` texts are long enough to be seen in the token count: where a model does not show that it read one, the count does.
"""

from __future__ import annotations

import base64
import struct
import zlib

from anykey.conversation.parts import Json
from anykey.conversation.tools import CustomTool, FunctionTool

CODEWORD = "MERIDIAN"
STATION_CODE = "VX-2047"
LONG_TOKENS = 60
"""Every tokenizer makes at least this many tokens of a ``long_text``, and a request without it has far fewer."""
PREFIX_WORDS = 1500
"""Providers cache prefixes from 1024 tokens on."""

_CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = FunctionTool("get_weather", "Tells the weather of a city.", _CITY)
TIME = FunctionTool("get_time", "Tells the local time of a city.", _CITY)
FIND = FunctionTool("find", "Finds a city's entry in the atlas.", _CITY, namespace="atlas")
NOTE = CustomTool("write_note", "Keeps a note. The input is the note itself, as plain text.")
ANSWER_SCHEMA: Json = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["answer", "count"],
    "additionalProperties": False,
}

_FILLER = "The harbour was quiet that morning and every boat lay still upon the grey water beside the old stone wall."


def long_text(opening: str, words: int = 80) -> str:
    """``opening``, then plain prose up to ``words`` words in all."""
    filler = _FILLER.split()
    lacking = max(words - len(opening.split()), 0)
    return " ".join([opening, *(filler[place % len(filler)] for place in range(lacking))])


def red_square(side: int = 256) -> str:
    """A PNG of one red colour, in base64."""
    rows = (b"\x00" + b"\xe0\x10\x10" * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return _base64(b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(name, data) for name, data in chunks))


def one_page(text: str) -> str:
    """A PDF of one page that says ``text`` (ASCII without brackets), in base64."""
    words = text.split()
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    shown = "BT /F1 12 Tf 14 TL 50 780 Td " + " T* ".join(f"({line}) Tj" for line in lines) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file, offsets = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size, place = len(objects) + 1, len(file)
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return _base64(file + f"{end}startxref\n{place}\n%%EOF\n".encode("ascii"))


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
