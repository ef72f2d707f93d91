"""The servers and processes of a chaos run: started, killed, and started again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import redis
import requests

from channels.sandbox.credentials import hub_environment
from tests.services.sandbox import free_port
from tests.services.stack import Stack

DEAD_SECONDS = 0.5
"""How long something stays dead: as long as a supervisor may take to notice."""


class Servers(Stack):
    """A database, a queue server, a sandbox, a web process, and two sets of everything that works in the background."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.sandbox_data = folder / "sandbox"
        self.sandbox_url = ""
        self.deaths: dict[str, float] = {}

    def start_servers(self) -> None:
        """Database, queue server and sandbox; :attr:`environment` is then that of a hub that uses them."""
        self.start_database("max_connections=80")
        self.start_queue()
        port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{port}"
        hub_url = f"http://127.0.0.1:{self.port}"
        options = ["--port", str(port), "--hub-url", hub_url, "--data", str(self.sandbox_data), "--delay", "0.2"]
        self.module("sandbox", "channels.sandbox", *options, "--everyone-reachable")
        self.wait(lambda: _answers(f"{self.sandbox_url}/sandbox/api/summary"))
        key = self.get("public-key")["public_key"]
        self.environment |= {
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
        gunicorn = ["gunicorn", "--config", "python:config.gunicorn", "hub.app:create_app()"]
        self.module("web", *gunicorn, DATA_DIR=str(self.folder / "web"))
        for number in ("1", "2"):
            data = {"DATA_DIR": str(self.folder / f"machine-{number}")}
            for name in ("dispatcher", "clock"):
                self.module(f"{name}-{number}", "workers", name, **data)
            self.module(f"text-{number}", "workers", "send", "text", **data)
        self.module("email", "workers", "send", "email")
        self.wait(lambda: _answers(f"http://127.0.0.1:{self.port}/healthz"))

    def revive(self) -> None:
        """Start again what has been dead for a moment, as a supervisor does."""
        for name, process in self.processes.items():
            if process.runs:
                self.deaths.pop(name, None)
            elif time.monotonic() - self.deaths.setdefault(name, time.monotonic()) > DEAD_SECONDS:
                if name == "postgres":  # it will not start over a lock file of its own that was left behind
                    (self.folder / "pg" / "data" / "postmaster.pid").unlink(missing_ok=True)
                process.start()

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


def _answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=2).ok
    return False
