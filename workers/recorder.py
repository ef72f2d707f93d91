"""Writes things down beside the sending: every tenth of a second, or every few hundred, in one transaction."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

AT_MOST_SECONDS = 0.1
AT_MOST_ITEMS = 500


class Recorder(Generic[T]):
    """A thread that hands what it is given to ``write``, in order and in small groups, until it is closed.

    Where nothing comes for ``idle_seconds``, ``write`` gets an empty group, so that it can see to what must not wait.
    An exception of ``write`` ends the thread, and is raised by the next :meth:`put` or by :meth:`close`.
    """

    def __init__(self, write: Callable[[list[T]], None], idle_seconds: float) -> None:
        self._write = write
        self._idle_seconds = idle_seconds
        self._waiting: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Have an item written soon."""
        if self._failure is not None:
            raise self._failure
        self._waiting.put(item)

    def close(self) -> None:
        """Write everything that is left, and end."""
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while self._write_group():
                pass
        except BaseException as error:  # noqa: BLE001 - carried over to the sending thread, which raises it
            self._failure = error

    def _write_group(self) -> bool:
        """Gather a group and write it. Returns False once the recorder is closed."""
        group: list[T] = []
        until = time.monotonic() + self._idle_seconds
        while len(group) < AT_MOST_ITEMS:
            try:
                item = self._waiting.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                break
            if item is None:
                if group:
                    self._write(group)
                return False
            if not group:
                until = time.monotonic() + AT_MOST_SECONDS
            group.append(item)
        self._write(group)
        return True
