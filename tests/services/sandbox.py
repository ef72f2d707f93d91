"""The stand-in for every provider, one for each worker of a test run."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import requests

from channels.sandbox.credentials import hub_environment
from tests.services.lifeline import keep, wait_until

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Sandbox:
    """A running sandbox that tells a hub at ``hub_url``. Without delay: what is sent arrives at once."""

    def __init__(self, run_folder: Path) -> None:
        self.hub_port = free_port()
        self.hub_url = f"http://127.0.0.1:{self.hub_port}"
        """Where the sandbox's webhooks go. A test that wants them serves the hub there."""
        self._smtp_port = free_port()
        self._home = run_folder / f"sb{os.getpid()}"
        self._home.mkdir()
        ports = ["--port", "0", "--smtp-port", str(self._smtp_port)]
        keep(
            self._home,
            [sys.executable, "-m", "channels.sandbox", *ports, "--hub-url", self.hub_url, "--delay", "0"],
            environment={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        wait_until(lambda: "SENDGRID_WEBHOOK_PUBLIC_KEY=" in self._log(), self._home)
        self.url = _found(r"http://127\.0\.0\.1:\d+", self._log())
        self._public_key = _found(r"(?<=SENDGRID_WEBHOOK_PUBLIC_KEY=)\S+", self._log())

    @property
    def settings(self) -> dict[str, str]:
        """The settings that make the hub use this sandbox, and be reached by it."""
        names = hub_environment(self.url, self._public_key, smtp_port=self._smtp_port)
        return {"PUBLIC_URL": self.hub_url, **names}

    def get(self, what: str) -> Any:
        """What the sandbox answers about itself: ``summary``, ``messages``, ``webhooks`` …"""
        answer = requests.get(f"{self.url}/sandbox/api/{what}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, what: str, **change: Any) -> Any:
        """Change how the sandbox behaves: ``faults``, ``fates``, ``reset``."""
        answer = requests.post(f"{self.url}/sandbox/api/{what}", json=change, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _log(self) -> str:
        log = self._home / "log"
        return log.read_text() if log.exists() else ""


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found.group()
