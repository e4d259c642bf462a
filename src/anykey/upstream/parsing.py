"""The bytes of one response, read: status, headers, and the body's pieces without their framing.

Law: no socket and no clock. llhttp judges the grammar; what it leaves to its caller is judged here: size of the head,
transfer codings, bodies that end with the connection, and bytes after the end, which no connection survives.
"""

import httptools

from anykey.upstream.failures import FramingBroken, HeadersTooLarge, UpstreamError

_MAX_HEAD = 64 * 1024
_MAX_FIELDS = 200


_SPENT = httptools.HttpResponseParser(object())
"""Stands where a parser was."""


class _Stop(Exception):
    """Raised in a callback; the reason is already noted."""


class ResponseParser:
    """Feed it until `complete`. The `on_*` methods are what httptools calls."""

    def __init__(self, peer: str, method: str) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_done = False
        self.complete = False
        self.reusable = False
        """Nothing is wrong with the connection: whole message, nothing after it, and the other side keeps it."""
        self.chunks: list[bytes] = []
        self.buffered = 0
        """Bytes in `chunks`: whoever takes them sets it back to 0."""
        self._peer = peer
        self._without_body = method == "HEAD"
        self._parser = httptools.HttpResponseParser(self)
        self._failure: UpstreamError | None = None
        self._interim = False
        self._delimited = False
        self._unproductive = 0
        self._head_size = 0
        self._fields = 0

    def feed(self, data: bytes) -> None:
        """Read on. FramingBroken or HeadersTooLarge when this is no response to go on with."""
        buffered = self.buffered
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.reusable = False
            # What follows a whole response is no fault of that response.
            if not self.complete:
                raise self._failure or self._broken(f"did not answer in HTTP/1.1 ({error})") from None
        if self.buffered != buffered:
            self._unproductive = 0
        elif not self.complete:
            self._count_unproductive(len(data))

    def end(self) -> bool:
        """The connection was closed in good order: True when that ends the response properly."""
        if self.head_done and not self._delimited:
            self.complete = True
        return self.complete

    def let_go(self) -> None:
        """Nothing will be fed any more. The two parsers hold each other: left so, every call would wait for the collector, whose
        rounds cost a small call a tenth of its time."""
        self._parser = _SPENT

    def take(self) -> bytes:
        """All pieces that wait, as one."""
        chunks = self.chunks
        if not chunks:
            return b""
        self.buffered = 0
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        return data

    def header(self, name: bytes) -> bytes | None:
        """The first header of that name (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    # httptools

    def on_message_begin(self) -> None:
        if self.complete:
            raise _Stop

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_done:
            return  # a trailer
        self._head_size += len(name) + len(value)
        self._fields += 1
        if self._head_size > _MAX_HEAD or self._fields > _MAX_FIELDS:
            self._failure = self._head_too_large()
            raise _Stop
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status == 101:
            self._failure = self._broken("switched to a protocol that nobody asked for")
            raise _Stop
        if 100 <= self.status < 200:
            self._interim = True
            return
        coding = self.header(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":
            self._failure = self._broken("used a transfer-encoding that was not offered")
            raise _Stop
        self._delimited = coding is not None or self.header(b"content-length") is not None
        self.head_done = True
        if self._without_body:
            # llhttp cannot know that this was a HEAD and would wait for a body: the connection is given up instead.
            self.complete = True
            raise _Stop

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            self.headers.clear()
            return
        self.complete = True
        self.reusable = self._parser.should_keep_alive()

    def _count_unproductive(self, size: int) -> None:
        """Bound what llhttp has no bound for: an endless header line, interim responses, trailers, chunk extensions."""
        self._unproductive += size
        if self._unproductive > _MAX_HEAD:
            raise self._broken("sends trailers without end") if self.head_done else self._head_too_large()

    def _head_too_large(self) -> UpstreamError:
        text = f"{self._peer} sent headers over {_MAX_HEAD // 1024} KiB or {_MAX_FIELDS} fields"
        return HeadersTooLarge(text, response_started=True)

    def _broken(self, what: str) -> UpstreamError:
        return FramingBroken(f"{self._peer} {what}", response_started=True)
