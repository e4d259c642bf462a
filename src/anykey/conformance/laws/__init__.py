"""What each protocol's clients rely on, byte by byte: written from the protocols, not from the codecs that are under test too.

The same verbs in each module: ``check_answer`` (a whole one), ``check_stream``, ``check_failure``, ``check_models``. Each gives
the breaches it found, one plain clause each; none means that a client can read it. What a server adds beyond the protocol is
no breach.
"""
