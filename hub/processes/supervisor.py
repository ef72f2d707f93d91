"""The processes of a run on one machine: started together, kept going, and gone together.

Honcho reads the Procfile and prints the lines. Its Manager ends everything as soon as one process ends, and starts
a second Python beside each; a hub that is to stay up on a small machine starts the one process again instead.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Self

from hub.processes import guard

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_AFTER = 30.0
"""Seconds after which a process that ended counts as having run well, and is started again soon."""

STOP_SECONDS = 3.0
"""How long processes may take to end what they are doing. `hub start` and `hub demo` end within 5 s in all."""

LOOK_EVERY = 0.1

Say = Callable[[str, str], None]
"""Takes a process's name and a line."""


@dataclass(slots=True)
class Member:
    """A process that is to be kept going."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    leans_on_nothing: bool = False
    quiet: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause: float = FIRST_PAUSE
    endings: int = 0
    last_lines: list[str] = field(default_factory=list)


class Supervisor:
    """Starts processes, passes on what they print, and starts those again that end. A context manager: it ends them.

    ``say`` takes the lines that processes print, ``tell`` what becomes of them. ``stays_open`` are file descriptors
    that are kept open until the last process of the run is gone.
    """

    def __init__(self, say: Say, tell: Say, stays_open: Sequence[int] = ()) -> None:
        self._say = say
        self._tell = tell
        self._stays_open = stays_open
        self.members: dict[str, Member] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-S", guard.__file__]
        pipe = subprocess.PIPE
        # The guard is the leader of its own group, so that Ctrl-C in a terminal reaches the parent alone.
        self._guard = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=pipe, stdout=pipe, process_group=0, pass_fds=self._stays_open
        )
        if self._guard.stdout:
            self._guard.stdout.readline()  # it has taken its place
        self._watcher.start()
        gc.freeze()  # what is loaded stays; without looking at it once more, this process ends at once
        return self

    def __exit__(self, *_raised: object) -> None:
        try:
            self._stop()
        finally:
            self._dismiss_guard()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        leans_on_nothing: bool = False,
        quiet: bool = False,
    ) -> Member:
        """Start a process and keep it going. One that ``leans_on_nothing``, but others on it, is ended after those.

        Of a ``quiet`` one, lines are only remembered. Raises ``OSError`` where there is no such program.
        """
        with self._lock:
            member = Member(name, command, environment, leans_on_nothing, quiet)
            self._launch(member)
            self.members[name] = member
            return member

    def stop(self, names: Sequence[str], within: float) -> None:
        """End processes and wait until they are gone; after ``within`` seconds they are killed."""
        with self._lock:
            ending = [self.members.pop(name) for name in names if name in self.members]
        for member in ending:
            _signal(member, signal.SIGTERM)
        deadline = time.monotonic() + within
        for member in ending:
            if member.process is not None:
                try:
                    member.process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._tell(member.name, "did not end in time and was killed")
                    _signal(member, signal.SIGKILL)
                    member.process.wait()

    def _stop(self) -> None:
        self._stopping.set()
        self._watcher.join()
        self.stop([name for name, member in self.members.items() if not member.leans_on_nothing], STOP_SECONDS)
        self.stop(list(self.members), 1.0)

    def wait(self) -> None:
        """Wait for a signal to end the run."""
        while True:
            self._stopping.wait(3600)

    def _dismiss_guard(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGKILL)  # and with it whatever a process has left behind
        self._guard.communicate()

    def _launch(self, member: Member) -> None:
        member.process = subprocess.Popen(  # noqa: S603 - the Procfile's own lines
            member.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if member.environment is None else dict(member.environment),
            process_group=self._guard.pid,
        )
        member.started_at, member.start_again_at = time.monotonic(), 0.0
        threading.Thread(target=self._pass_on, args=(member, member.process), daemon=True).start()

    def _pass_on(self, member: Member, process: subprocess.Popen[bytes]) -> None:
        with process.stdout or nullcontext(()) as output:
            for raw in output:
                line = raw.decode("utf-8", "replace").rstrip()
                member.last_lines = [*member.last_lines[-9:], line]
                if not member.quiet:
                    self._say(member.name, line)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            with self._lock:
                for member in self.members.values():
                    self._look_at(member)

    def _look_at(self, member: Member) -> None:
        now = time.monotonic()
        if member.process is not None:
            status = member.process.poll()
            if status is None:
                return
            if now - member.started_at > STEADY_AFTER:
                member.pause = FIRST_PAUSE
            member.process, member.start_again_at = None, now + member.pause
            member.endings += 1
            self._tell(member.name, f"{_ended(status)}; it is started again in {member.pause:.0f} s")
            member.pause = min(member.pause * 2, LONGEST_PAUSE)
        elif now >= member.start_again_at:
            self._launch(member)


def _signal(member: Member, number: signal.Signals) -> None:
    if member.process is not None and member.process.poll() is None:
        member.process.send_signal(number)


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
