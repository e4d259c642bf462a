"""DOES A GATEWAY KEEP ITS PROMISES: the client half of the conformance matrix, over HTTP, against any gateway.

Law: what is sent is what a client of the protocol would send, and only to the address under test. What comes back is judged
twice: by ``laws`` (the wire as the protocol's clients need it, read without the codecs) and by meaning (the codecs' reading of
it). A model that does not do what it was asked is unclear, never a failure.

    records.py   Cell and Report
    line.py      the way to the gateway: addresses, credentials, one call
    speaker.py   one protocol spoken: a neutral request sent, a checked answer back
    samples.py   the picture, the document, the tools and the texts that are sent
    judging.py   what an answer must show
    probes.py    the steps of a feature
    features.py  the table of features
    run.py       all of it
    laws/        what each protocol's clients rely on, byte by byte
"""
