"""The key of the very first start, without loading SQLAlchemy (0.2 s, 28 MB) on all the later ones."""

import importlib
from contextlib import closing

from anykey.administration.home import Home
from anykey.storage.lock import alone
from anykey.storage.watch import KeyWatch


def first_key(home: Home, name: str) -> str | None:
    """The text of a new key called `name` where no key was ever issued, to be shown once; else None.

    Of several processes that start at once in a new data directory, one makes it.
    """
    with alone(home.path, home.database):
        with closing(KeyWatch(home.database)) as watch:
            if watch.keys:
                return None
        text: str = importlib.import_module("anykey.administration.keys").create_key(home, name).text
    return text
