"""HOW WE CALL OUT: the only place that opens a connection to a provider.

Law: one HTTP/1.1 exchange at a time on a connection, no redirect followed, TLS always verified, and a connection is
used again only when there is no doubt left about it. Nothing here knows a protocol, a model or a price.

    client.py      UpstreamClient: send a Call, get a Reply; the one retry on a stale connection
    tokens.py      access tokens for credentials that are none themselves, kept while good
    records.py     Call and Timeouts
    request.py     where a URL leads, and the bytes of a request head
    proxy.py       HTTP_PROXY, HTTPS_PROXY, NO_PROXY
    dialing.py     name, address, tunnel, TLS: from a host to an open connection, inside one budget
    connection.py  one connection: writing, its one timer, its end
    pool.py        the idle connections of each lane
    lane.py        scheme, host, port and proxy: where connections are exchangeable
    reply.py       one response being read: chunks, waits, limits, back pressure
    parsing.py     the bytes of a response: framing, and what is refused
    decoding.py    gzip, deflate, br, zstd, in bounded steps
    failures.py    what can go wrong
"""
