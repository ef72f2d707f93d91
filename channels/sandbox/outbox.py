"""What the providers still have to tell the hub: it survives a restart of the sandbox, and of the hub."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from channels.sandbox.messages import COLUMNS, Message


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that a provider has to tell the hub now."""

    id: int
    event: str
    at: float
    attempt: int
    message: Message


class Outbox:
    """The events of one store."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.db.execute("UPDATE outbox SET taken = 0 WHERE taken = 1")  # by a process that ended

    def plan(self, kind: str, events: Iterable[tuple[float, int, str, float]]) -> None:
        """Tell the hub later: ``(due, message_id, event, when it happened)`` each."""
        self.db.executemany(
            "INSERT INTO outbox (kind, due, message_id, event, at) VALUES (?, ?, ?, ?, ?)",
            ((kind, *event) for event in events),
        )

    def take(self, kind: str, now: float, limit: int) -> list[Due]:
        """What is due, oldest first; it is not given again until :meth:`again` says so."""
        rows = self.db.execute(
            f"SELECT o.id, o.event, o.at, o.attempt, {COLUMNS} FROM outbox o "  # noqa: S608 - constants
            "JOIN messages m ON m.id = o.message_id JOIN boxes b ON b.id = m.box_id "
            "WHERE o.kind = ? AND o.taken = 0 AND o.due <= ? ORDER BY o.due, o.id LIMIT ?",
            (kind, now, limit),
        ).fetchall()
        self.db.executemany("UPDATE outbox SET taken = 1 WHERE id = ?", [(row[0],) for row in rows])
        return [Due(row[0], row[1], row[2], row[3], Message(*row[4:])) for row in rows]

    def told(self, ids: Iterable[int]) -> None:
        """The hub has answered; nothing more to do about these."""
        self.db.executemany("DELETE FROM outbox WHERE id = ?", ((outbox_id,) for outbox_id in ids))

    def again(self, ids: Iterable[int], due: float) -> None:
        """Try these again at ``due``."""
        self.db.executemany(
            "UPDATE outbox SET due = ?, attempt = attempt + 1, taken = 0 WHERE id = ?",
            ((due, outbox_id) for outbox_id in ids),
        )

    def untold(self, kind: str) -> int:
        """How many events the hub has not taken yet."""
        (count,) = self.db.execute("SELECT count(*) FROM outbox WHERE kind = ?", (kind,)).fetchone()
        return int(count)
