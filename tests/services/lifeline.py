"""One short folder for the whole test run, and servers that never outlive it.

The pytest process that the person started holds a named pipe open. Each server runs under a small keeper (this
module as a program) that waits on the pipe: when the run ends, in whatever way, the pipe closes, and the keeper
stops its server and removes the server's folder.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PIPE = "lifeline"
READY_SECONDS = 30
STOP_SECONDS = 10

_keepers: list[subprocess.Popen[bytes]] = []  # held, because they run on when the function that starts them is over


MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOM_NEEDED = 2 * 1024**3


def _scratch() -> Path:
    """Where the servers keep their data: in memory where that is offered and roomy, since none of it is kept."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_NEEDED:
        return MEMORY
    return Path("/tmp")  # noqa: S108 - short, because of the sockets; a folder of our own is made in it


class Run:
    """The folder that every process of one test run shares. Short, because it holds Unix sockets (107 bytes)."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ew-", dir=_scratch()))
        self.folder.chmod(0o755)
        os.mkfifo(self.folder / PIPE)
        self._pipe = os.open(self.folder / PIPE, os.O_RDWR)

    def end(self) -> None:
        """Let the servers go, and wait until they are gone."""
        os.close(self._pipe)
        deadline = time.monotonic() + STOP_SECONDS
        while any(self.folder.glob("*/keeper")) and time.monotonic() < deadline:
            time.sleep(0.02)
        for keeper in _keepers:
            keeper.wait(STOP_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Hold the run's lock of this name, against the other workers of the run."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep(
    home: Path, command: Sequence[str], *, user: int | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Start a server that lives as long as the test run. Its output goes to ``home/log``."""
    (home / "keeper").touch()
    arguments = [sys.executable, __file__, str(home), "" if user is None else str(user), *command]
    _keepers.append(
        subprocess.Popen(arguments, start_new_session=True, stdin=subprocess.DEVNULL, cwd=home, env=environment)
    )


def wait_until(ready: Callable[[], bool], home: Path) -> None:
    """Wait for a server to answer; raises with the end of its log where it doesn't."""
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if time.monotonic() > deadline or not (home / "keeper").exists():
            log = home / "log"
            raise RuntimeError(f"A test server did not start:\n{log.read_text()[-2000:] if log.exists() else ''}")
        time.sleep(0.02)


def _keep(home: Path, user: int | None, command: Sequence[str]) -> None:
    with (home / "log").open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, start_new_session=True, cwd=home)
    pipe = os.open(home.parent / PIPE, os.O_RDONLY)
    while server.poll() is None and not select.select([pipe], [], [], 0.5)[0]:
        pass
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_SECONDS / 2)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(home, ignore_errors=True)
    else:
        (home / "keeper").unlink(missing_ok=True)  # the log stays for whoever waits


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # only the end of the run ends a server
    _keep(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2] else None, sys.argv[3:])
