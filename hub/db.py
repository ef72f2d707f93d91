"""The database: one metadata, one engine a process, and transactions that open only at the edges."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Engine, Enum, Integer, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from config.settings import settings

BUSY_TIMEOUT_SECONDS = 30

BigId = BigInteger().with_variant(Integer, "sqlite")
"""An id that outgrows 32 bits; SQLite numbers only INTEGER primary keys by itself."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC. SQLite, which has no such type, keeps it as naive UTC text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone was given to the database.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_column(kind: type[StrEnum]) -> Enum:
    """A column that keeps the enum's values (not its names) as short text."""
    return Enum(
        kind, native_enum=False, length=24, create_constraint=False, values_callable=lambda e: [m.value for m in e]
    )


class Base(DeclarativeBase):
    """The one metadata, with names for constraints so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's own declaration


def utc_now() -> datetime:
    """The present moment. Services take it as an argument; only the edges ask."""
    return datetime.now(UTC)


@cache
def engine() -> Engine:
    """This process's engine, from the settings."""
    import_module("hub.models")  # tables refer to each other across features, so whoever uses some must know all
    return make_engine(settings().sqlalchemy_url)


def _forget_connections() -> None:
    if engine.cache_info().currsize:
        engine().dispose(close=False)


# A process that was forked (the web server's) makes connections of its own: one must never be shared by two.
os.register_at_fork(after_in_child=_forget_connections)


def make_engine(url: str) -> Engine:
    """An engine with our rules for SQLite: WAL, foreign keys, and transactions that this code begins."""
    made = create_engine(url, pool_pre_ping=True)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
    return made


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # pysqlite must not begin transactions behind our back
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Any) -> None:
    # A write that starts as a read can't wait for the lock (SQLITE_BUSY_SNAPSHOT), so a writer says so at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@contextmanager
def write_session() -> Iterator[Session]:
    """A transaction that may write: committed at the end, rolled back by any exception."""
    with (
        engine().connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def read_session() -> Iterator[Session]:
    """A transaction that only reads; nothing that it changes is kept."""
    with Session(engine()) as session:
        yield session
