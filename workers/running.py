"""What every long-running process does: go round until told to stop, and outlive its servers' restarts."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from hub.processes import signs
from workers.queue import connection

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
    next_sign = 0.0
    while not STOP.is_set():
        if time.monotonic() >= next_sign:
            next_sign = time.monotonic() + signs.EVERY
            with suppress(RedisError):  # the clock does without a queue server
                signs.leave_sign(connection(), name)
        try:
            busy = once()
            failures = 0
        except (DBAPIError, RedisError) as error:
            failures += 1
            busy = False
            log.warning("server is away", process=name, error=type(error).__name__, failures=failures)
        if not busy:
            STOP.wait(min(pause * 2 ** min(failures, 10), LONGEST_PAUSE))
