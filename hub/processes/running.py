"""Running the Procfile on this machine: the commands, their environment, their output, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import IO

import requests
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from config.settings import Settings
from hub.errors import HubError
from hub.processes.supervisor import Member, Supervisor

ROOT = Path(__file__).resolve().parents[2]

WEB = "web"
ENOUGH_ENDINGS = 3
READY_SECONDS = 180.0


class DoesNotStart(HubError):
    """500: a process ends again and again; the message holds what it said last."""

    status = 500


class Lines:
    """Prints what processes say, each line with the time and the process's name in front of it."""

    def __init__(self, output: IO[str]) -> None:
        self._printer = Printer(output, width=10)
        self._lock = threading.Lock()

    def say(self, name: str, line: str) -> None:
        """Print a line. Where nobody reads any more, it is dropped: that must not hold up the process."""
        now = datetime.now().astimezone()
        with self._lock, suppress(OSError, ValueError):
            self._printer.write(Message("line", line, now, name, None))


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM or the end of the terminal end what is inside, in good order and without a traceback.

    A second signal while things are being ended cuts that short; whatever is left is then killed.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in ours}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def procfile_commands() -> dict[str, str]:
    """The long-running processes of the project's Procfile: name -> command line. ``release`` is not one of them."""
    commands: dict[str, str] = dict(parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes)
    commands.pop("release", None)
    return commands


def start_web(supervisor: Supervisor, chosen: Settings) -> None:
    """Start the Procfile's web server, ahead of the others: on a small machine people can sign in the sooner."""
    _start(supervisor, chosen, [WEB])


def start_the_others(supervisor: Supervisor, chosen: Settings) -> None:
    """Start everything else that the Procfile names, but the release step."""
    _start(supervisor, chosen, [name for name in procfile_commands() if name != WEB])


def _start(supervisor: Supervisor, chosen: Settings, names: Iterable[str]) -> None:
    environment, commands = child_environment(chosen), procfile_commands()
    for name in names:
        # The shell gives way to the program, so that signals reach that.
        supervisor.start(name, ["/bin/sh", "-c", f"exec {commands[name]}"], environment)


def child_environment(chosen: Settings) -> dict[str, str]:
    """The environment of the processes: this Python's programs come first, and the data folder is the same one."""
    programs, modules = str(Path(sys.executable).parent), str(ROOT)
    return {
        **os.environ,
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [modules, os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "DATA_DIR": str(chosen.data_dir.resolve()),
    }


def own_address(chosen: Settings) -> str:
    """Where this machine reaches its own web server."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(chosen.listen_on, chosen.listen_on)  # noqa: S104 - compared only
    return f"http://[{address}]:{chosen.port}" if ":" in address else f"http://{address}:{chosen.port}"


def wait_for_web(supervisor: Supervisor, chosen: Settings) -> None:
    """Return when the web server answers. Raises :class:`DoesNotStart`."""
    wait_for(supervisor.members[WEB], f"{own_address(chosen)}/healthz")


def wait_for(member: Member, url: str) -> None:
    """Return when a process answers at ``url``. Raises :class:`DoesNotStart` where it ends instead, or is silent."""
    deadline = time.monotonic() + READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # this machine is never behind a proxy from itself
        while not _answers(session, url):
            if member.endings >= ENOUGH_ENDINGS or time.monotonic() > deadline:
                said = member.last_lines[-1] if member.last_lines else "it said nothing"
                raise DoesNotStart(f"The process “{member.name}” does not start. Its last words: {said}")
            time.sleep(0.05)


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=5).ok
    except requests.RequestException:
        return False
