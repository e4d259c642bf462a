"""`?key=<credential>`: Google's oldest way, for doors that read no header.

A URL is what logs and error messages like to repeat, so the key is joined to it only at the moment of the call.
"""

from urllib.parse import quote

from anykey.providers.auth import visible
from anykey.providers.auth.scheme import HeaderPairs, Scheme
from anykey.providers.secret import Secret


def headers(_credential: Secret) -> HeaderPairs:
    """Return no header: the credential is in the query."""
    return ()


def query(credential: Secret) -> str:
    """Return `key=…`, percent-encoded, for the end of the URL."""
    return "key=" + quote(credential.reveal(), safe="")


SCHEME = Scheme(headers, visible.fault, query=query)
