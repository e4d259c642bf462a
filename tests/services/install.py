"""The database servers that tests start: found on this machine, or installed from Debian's packages where we may.

`python -m tests.services.install` does it ahead, while other suites compute. PostgreSQL must be 15 or newer; Valkey and
Redis answer the same commands, and either will do. What cannot be had is one line that says what to do.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
POSTGRES_VERSION_MIN = 15
DEBIAN = Path("/usr/lib/postgresql")
HOMEBREW = (Path("/opt/homebrew/opt"), Path("/usr/local/opt"))
APT_TIMEOUT_S = 300


class CannotInstall(Exception):
    """A server is not here and cannot be installed; the message is one line and says what to do."""


def postgres_folder() -> Path:
    """The folder with `postgres` and `initdb`, 15 or newer; installed if need be. Raises CannotInstall."""
    hint = "PostgreSQL 15 or newer (or the URL of one in ANYKEY_TEST_POSTGRES_URL)"
    return _found_or_installed(find_postgres, hint, ("postgresql",))


def valkey_program() -> Path:
    """The executable of Valkey, or of Redis; installed if need be. Raises CannotInstall."""
    hint = "Valkey or Redis (or the URL of one in ANYKEY_TEST_VALKEY_URL)"
    return _found_or_installed(find_valkey, hint, ("valkey-server", "redis-server"))


def find_postgres() -> Path | None:
    """The newest PostgreSQL of this machine that is new enough, without installing anything."""
    candidates = [*DEBIAN.glob("*/bin"), *(folder for brew in HOMEBREW for folder in brew.glob("postgresql@*/bin"))]
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    return newest_postgres(candidates, _version_of)


def newest_postgres(folders: Iterable[Path], version_of: Callable[[Path], int]) -> Path | None:
    """The folder whose server is newest, if that is new enough. A folder without `initdb` has a client only."""
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    best = max(usable, key=version_of, default=None)
    return best if best is not None and version_of(best) >= POSTGRES_VERSION_MIN else None


def major_version(text: str) -> int:
    """15 for `postgres (PostgreSQL) 15.10 (Debian …)`; 0 for what has no version."""
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found[1]) if found else 0


def find_valkey() -> Path | None:
    """Valkey's or Redis's server of this machine, without installing anything."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def _version_of(folder: Path) -> int:
    try:
        told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    return major_version(told)


def _found_or_installed(find: Callable[[], Path | None], what: str, packages: tuple[str, ...]) -> Path:
    """`find`'s answer, after installing one of `packages` (the first that there is) if it had none."""
    if found := find():
        return found
    with _alone():
        if found := find():  # another run installed it while we waited
            return found
        advice = f"{what} is missing: install it (Debian/Ubuntu: sudo apt install {packages[-1]}) and run this again"
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise CannotInstall(advice)
        if not _apt("update") or not any(_apt("install", "-y", "--no-install-recommends", name) for name in packages):
            raise CannotInstall(f"{advice}; see .cache/logs/apt.log")
    if found := find():
        return found
    raise CannotInstall(advice)


def _apt(*arguments: str) -> bool:
    log = CACHE / "logs" / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("ab") as told:
        try:
            done = subprocess.run(
                ["apt-get", "-qq", *arguments],
                stdout=told,
                stderr=told,
                env=environment,
                timeout=APT_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


@contextmanager
def _alone() -> Generator[None]:
    """One installation at a time: suites run beside each other."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_all() -> None:
    """Install what is missing. What cannot be had is said by the tests that need it."""
    for ensure in (postgres_folder, valkey_program):
        with contextlib.suppress(CannotInstall):
            ensure()


if __name__ == "__main__":
    install_all()
