"""Stores what providers tell us, before they get their answer: many requests that wait share one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import BigInteger, Boolean, String, select, true
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from channels.base import ReceiptEvent
from hub.bulk import json_table
from hub.db import UtcDateTime, write_session
from hub.deliveries.models import Receipt

_COLUMNS: dict[str, TypeEngine[Any]] = {
    "provider": String(),
    "event_id": String(),
    "delivery_id": BigInteger(),
    "provider_id": String(),
    "state": String(),
    "why": String(),
    "code": String(),
    "opts_out": Boolean(),
    "happened_at": UtcDateTime(),
    "received_at": UtcDateTime(),
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
            with write_session() as session:
                _insert(session, [row for waiting in group for row in waiting.items])
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
        "happened_at": event.happened_at or now,
        "received_at": now,
    }


def _insert(session: Session, items: Sequence[dict[str, object]]) -> None:
    given = json_table(session, _COLUMNS, items)
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert(Receipt) if on_postgresql else sqlite_insert(Receipt)
    # SQLite needs a WHERE here, or takes ON CONFLICT for a join's ON (sqlite.org/lang_upsert.html, 2.2).
    source = select(*given.c).where(true())
    session.execute(insert.from_select(list(_COLUMNS), source, include_defaults=False).on_conflict_do_nothing())
