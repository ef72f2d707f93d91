"""Brings the database's tables up to what the code expects."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

from hub.db import make_engine

ONE_AT_A_TIME = 0x45766572
"""The number of PostgreSQL's advisory lock that a migration holds."""


def migration_config(connection: Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine) -> None:
    """Apply every migration that the database has not had yet, in one transaction, one process at a time."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":  # SQLite's transaction that writes is alone from its beginning
            connection.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
        command.upgrade(migration_config(connection), "head")


def pending(engine: Engine) -> bool:
    """Whether the database lacks a migration that the code expects."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current != ScriptDirectory.from_config(migration_config()).get_current_head()


def write_migration(message: str) -> Path:
    """Write the next migration: what the models have and the migrations so far do not make. For developers."""
    with TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/empty.sqlite3")
        migrate(engine)
        with engine.connect() as connection:
            config = migration_config(connection)
            number = int(ScriptDirectory.from_config(config).get_current_head() or 0) + 1
            made = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        engine.dispose()
    return Path(next(script.path for script in (made if isinstance(made, list) else [made]) if script))
