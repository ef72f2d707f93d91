"""What every long-running process does: go round until told to stop, and outlive its servers' restarts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

STOP = threading.Event()
"""Set once the process has been asked to end. Whatever takes long looks at it now and then."""

LONGEST_PAUSE = 10.0

log = structlog.get_logger()


def stop_on_signals() -> None:
    """SIGTERM and SIGINT end the process after what it is doing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: STOP.set())


def go_round(name: str, once: Callable[[], bool], pause: float) -> None:
    """Call ``once`` until the process is asked to stop: again at once while it answers True, else after ``pause``.

    While the database or the queue server is away, it waits longer and longer, and then goes on.
    """
    failures = 0
    while not STOP.is_set():
        try:
            busy = once()
            failures = 0
        except (DBAPIError, RedisError) as error:
            failures += 1
            busy = False
            log.warning("server is away", process=name, error=type(error).__name__, failures=failures)
        if not busy:
            STOP.wait(min(pause * 2**failures, LONGEST_PAUSE))
