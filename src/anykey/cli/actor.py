"""Who sits at the command line, for the audit log."""

import getpass

import msgspec

from anykey.accounts.permissions import LOCAL, Actor

NAME_LENGTH_MAX = 64


def local_actor() -> Actor:
    """`cli:USER`, who may everything: whoever can run commands on the data directory can read and write it anyway. A user
    without a name (in a container) is `cli`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # neither a variable nor an entry says it
        return LOCAL
    if not user or not user.isprintable():
        return LOCAL
    return msgspec.structs.replace(LOCAL, name=f"{LOCAL.name}:{user[:NAME_LENGTH_MAX]}")
