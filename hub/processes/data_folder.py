"""The folder of an installation's data: writable, with room left, and used by one run at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import Conflict, HubError

LOCK = "running"
LEAST_ROOM = 50 * 1024 * 1024
"""Bytes. With less, the first announcement would already stop half-way."""

WAIT_FOR_THE_DYING = 6.0


class InUse(Conflict):
    """409: another run has the folder or the port."""


class Unusable(HubError):
    """400: nothing can be kept in the folder."""


def check_room(folder: Path) -> None:
    """Raises :class:`Unusable` where the disk is (nearly) full."""
    free = shutil.disk_usage(folder).free
    if free < LEAST_ROOM:
        raise Unusable(f"The disk of {folder} is full: {free // 2**20} MB are left. Free some space, then start again.")


@contextmanager
def only_run_in(folder: Path) -> Iterator[int]:
    """Hold the folder for this run, and yield the open lock. Makes the folder, for this user alone, if it is new.

    The kernel lets the lock go when the last process that has it open ends, however it ends; so none is left over.
    Raises :class:`InUse` with the other run's process, :class:`Unusable` where nothing can be written.
    """
    lock = _open_lock(folder)
    try:
        _take(lock, folder)
        check_room(folder)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _open_lock(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unusable(f"The disk of {folder} is full. Free some space, then start again.") from problem
        if problem.errno in {errno.ENOTDIR, errno.EEXIST}:
            raise Unusable(f"{folder} is not a folder. Name another with --data.") from problem
        raise Unusable(f"Nothing can be written to {folder}. Name a folder of yours with --data.") from problem


def _take(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + WAIT_FOR_THE_DYING
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
            # A run that was killed is cleared away by its guard in a moment: worth waiting for.
            if _is_alive(holder) or time.monotonic() > deadline:
                who = f"process {holder}" if holder else "another process"
                raise InUse(
                    f"Everyway runs in {folder} already ({who}). Stop that one, or name another folder with --data."
                ) from None
            time.sleep(0.1)
        else:
            return


def _is_alive(holder: str) -> bool:
    if not holder.isdigit():
        return False
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def check_port(address: str, port: int) -> None:
    """Raises :class:`InUse` where something listens on the port already, or this user may not listen on it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            attempt.bind((address, port))
        except OSError as problem:
            if problem.errno in {errno.EACCES, errno.EPERM}:
                raise InUse(f"Port {port} may not be used by this user. Choose one above 1023.") from problem
            if problem.errno == errno.EADDRINUSE:
                raise InUse(f"Port {port} is in use by another program. Choose another port.") from problem
            raise InUse(f"Nothing can listen on {address}, port {port}: {problem.strerror}.") from problem
