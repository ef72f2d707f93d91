"""Signs of life of the processes that no queue knows of: the dispatcher and the clock."""

from __future__ import annotations

import os
import socket

from redis import Redis

PREFIX = "everyway:alive:"
EVERY = 10.0
"""Seconds between two signs."""

GONE_AFTER = 45
"""Seconds after which a process that has left no sign is taken to be gone."""


def leave_sign(server: Redis, name: str) -> None:
    """Say that this process, one of that name, is alive."""
    server.set(f"{PREFIX}{name}:{socket.gethostname()}:{os.getpid()}", 1, ex=GONE_AFTER)


def alive(server: Redis, name: str) -> int:
    """How many processes of that name are alive, on all machines."""
    return sum(1 for _ in server.scan_iter(f"{PREFIX}{name}:*", count=1000))
