"""One process at a time: a lock held on a file, released by the system whatever happens to its holder."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK_NAME = "anykey.lock"


@contextmanager
def exclusive(home: Path) -> Generator[None]:
    """Hold the lock of `home`; waits for another holder. For start-up work only: it blocks the thread."""
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
