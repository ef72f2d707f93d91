"""Runs of the hub as a person starts them: a process of its own, that is stopped in many ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.conftest import ROOT

PATIENCE = 120.0
"""Seconds, for a busy machine; nothing here takes a tenth of it on one that is not."""


class Run:
    """`hub start` or `hub demo`, under way. What it prints is in ``output`` and ``errors``."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.output, self.errors = folder / "output", folder / "errors"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self.parts: set[psutil.Process] = set()

    def wait_for(self, words: str) -> str:
        """Wait until the words have been printed; returns all that was."""
        wait_until(lambda: words in self.output.read_text() or self.process.poll() is not None)
        printed = self.output.read_text()
        assert words in printed, printed + self.errors.read_text()
        self.parts = set(psutil.Process(self.process.pid).children(recursive=True))
        return printed

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal to the parent alone; returns its status and how long it took until nothing was left."""
        began = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        wait_until(lambda: not self.left())
        return status, time.monotonic() - began

    def left(self) -> list[psutil.Process]:
        """The processes of the run that are still there."""
        return [part for part in self.parts if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator[Run]:
    """A run that is gone afterwards, whatever the test did."""
    run = Run(folder, *arguments, **environment)
    try:
        yield run
    finally:
        for part in (*run.parts, psutil.Process(run.process.pid)) if run.process.poll() is None else run.left():
            part.kill()
        run.process.wait()
