"""Stores what providers tell us, before they get their answer: many requests that wait share one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock

import orjson

from channels.base import ReceiptEvent
from hub.db import engine
from hub.deliveries.models import Receipt

_COLUMNS = {
    "provider": "text",
    "event_id": "text",
    "delivery_id": "bigint",
    "provider_id": "text",
    "state": "text",
    "why": "text",
    "code": "text",
    "opts_out": "boolean",
    "happened_at": "timestamptz",
    "received_at": "timestamptz",
}
"""What a receipt is stored with, and how PostgreSQL reads it from JSON."""

_INSERT = f"INSERT INTO {Receipt.__tablename__} ({', '.join(_COLUMNS)}) SELECT "
_FIELDS = ", ".join(f"json_extract(value, '$.{name}')" for name in _COLUMNS)
_TYPES = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_STATEMENTS = {
    # SQLite needs a WHERE, or takes ON CONFLICT for a join's ON (sqlite.org/lang_upsert.html, 2.2).
    "sqlite": f"{_INSERT} {_FIELDS} FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
    "postgresql": f"{_INSERT} * FROM jsonb_to_recordset(CAST(%s AS jsonb)) AS t({_TYPES}) ON CONFLICT DO NOTHING",
}


class _Waiting:
    """The receipts of one request, until they are stored."""

    __slots__ = ("items", "stored")

    def __init__(self, items: Sequence[dict[str, object]]) -> None:
        self.items = items
        self.stored = False


class Intake:
    """Stores receipts in groups: whoever gets the pen writes for everybody who waits for it.

    A commit costs nearly the same for one row as for fifty, so that this is what lets a web process keep up when a
    provider reports on thousands of messages at once.
    """

    def __init__(self) -> None:
        self._list = Lock()
        self._pen = Lock()
        self._waiting: list[_Waiting] = []

    def store(self, items: Sequence[dict[str, object]]) -> None:
        """Returns once the rows are committed; raises what the database raised if they could not be."""
        mine = _Waiting(items)
        with self._list:
            self._waiting.append(mine)
        with self._pen:
            if mine.stored:
                return
            with self._list:
                group, self._waiting = self._waiting, []
            if mine not in group:  # whoever took it failed to write: now each for itself
                group.append(mine)
            _write([row for waiting in group for row in waiting.items])
            for waiting in group:
                waiting.stored = True


_intake = Intake()


def store(provider: str, events: Sequence[ReceiptEvent], now: datetime) -> None:
    """Keep a provider's events, each once however often it is repeated; committed when this returns."""
    if events:
        _intake.store([_row(provider, event, now) for event in events])


def _row(provider: str, event: ReceiptEvent, now: datetime) -> dict[str, object]:
    return {
        "provider": provider,
        "event_id": event.event_id,
        "delivery_id": event.delivery_id,
        "provider_id": event.provider_id,
        "state": event.progress,
        "why": event.why or "",
        "code": event.code,
        "opts_out": event.opts_out,
        "happened_at": _moment(event.happened_at or now),
        "received_at": _moment(now),
    }


def _moment(value: datetime) -> str:
    """A moment as hub.db.UtcDateTime keeps it in SQLite; PostgreSQL is told that it is UTC."""
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return text if engine().dialect.name == "sqlite" else f"{text}+00"


def _write(items: Sequence[dict[str, object]]) -> None:
    """One statement that is always the same, past the ORM and its compiler: they took half of a request's time."""
    database = engine()
    statement = _STATEMENTS[database.dialect.name]
    given = orjson.dumps(items).decode()
    with database.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql(statement, (given,))
