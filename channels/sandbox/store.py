"""Everything that the sandbox remembers: one SQLite file, so that a million messages need little memory.

One connection in one thread. Writes gather in an open transaction that :meth:`Store.commit` ends several times a
second; reads use the same connection and see everything at once.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path

from channels.sandbox.people import Fate

SCHEMA = Path(__file__).with_name("schema.sql")
FILE = "sandbox.sqlite3"
PREVIEW = 120


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that a provider takes from the hub, or from a person (``incoming``)."""

    channel: str
    address: str
    fate: Fate
    at: float
    settles_at: float
    outcome: str
    error: str = ""
    other: str = ""
    body: str = ""
    preview: str = ""
    callback: str = ""
    content_id: int | None = None
    details: str = "{}"
    delivery_key: str = ""
    incoming: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is remembered. Times are seconds since 1970."""

    id: int
    channel: str
    box_id: int
    address: str
    incoming: int
    at: float
    settles_at: float
    outcome: str
    error: str
    other: str
    body: str
    callback: str
    content_id: int | None
    details: str
    duplicate: int


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that a provider has to tell the hub now."""

    id: int
    event: str
    at: float
    attempt: int
    message: Message


COLUMNS = ", ".join("b.address" if field.name == "address" else f"m.{field.name}" for field in fields(Message))
FROM = "FROM messages m JOIN boxes b ON b.id = m.box_id"

_BOX = """
INSERT INTO boxes (channel, address, fate, accepted, answers, last_at, last_words) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, address) DO UPDATE SET
    accepted = accepted + excluded.accepted, answers = answers + excluded.answers,
    last_at = excluded.last_at, last_words = excluded.last_words
RETURNING id
"""
_MESSAGE = """
INSERT INTO messages (channel, box_id, incoming, at, settles_at, outcome, error, other, body, callback, content_id,
                      details, delivery_key, duplicate)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
       ?13 <> '' AND EXISTS (SELECT 1 FROM messages WHERE channel = ?1 AND delivery_key = ?13)
"""
# The address that a text went to, or came from, whose phone we know; by the box, so that its index is used.
_PARTY = "m.box_id = (SELECT id FROM boxes WHERE channel = 'text' AND address = :{}) AND m.incoming = {}"


def by_words(address: str, *words: str) -> str:
    """The key of a message that names no delivery: the same recipient and the same words make the same key."""
    digest = blake2b("\0".join((address.lower(), *words)).encode(), digest_size=12)
    return "w" + digest.hexdigest()


class Store:
    """The memory of a sandbox: in ``data_dir``, or for as long as the process runs."""

    def __init__(self, data_dir: Path | None = None) -> None:
        if data_dir is not None:
            data_dir.mkdir(parents=True, exist_ok=True)
        # An empty name is a private file that SQLite deletes itself; unlike ":memory:" it may spill to the disk.
        self.db = sqlite3.connect("" if data_dir is None else data_dir / FILE, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(SCHEMA.read_text())
        self.db.execute("BEGIN")
        self.db.execute("UPDATE outbox SET taken = 0 WHERE taken = 1")
        self.series = self._series()

    def close(self) -> None:
        """Keep everything and let go of the file."""
        self.db.execute("COMMIT")
        self.db.close()

    def commit(self) -> None:
        """Keep what was written so far."""
        if self.db.in_transaction:
            self.db.execute("COMMIT")
        self.db.execute("BEGIN")

    def reset(self) -> None:
        """Forget every message, person and event. Ids that are given out afterwards are new ones."""
        for table in ("messages", "contents", "boxes", "outbox", "suppressions", "decided_fates", "meta"):
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the ones above
        self.series = self._series()
        self.commit()

    def _series(self) -> str:
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('series', ?)", (secrets.token_hex(8),))
        (series,) = self.db.execute("SELECT value FROM meta WHERE name = 'series'").fetchone()
        return str(series)

    # Messages

    def add(self, arrival: Arrival) -> int:
        """Remember a message; gives its id. A second one with the same ``delivery_key`` counts as a duplicate."""
        one, none = (0, 1) if arrival.incoming else (1, 0)
        preview = (arrival.preview or arrival.body)[:PREVIEW]
        box = (arrival.channel, arrival.address, arrival.fate, one, none, arrival.at, preview)
        (box_id,) = self.db.execute(_BOX, box).fetchone()
        cursor = self.db.execute(
            _MESSAGE,
            (
                arrival.channel, box_id, arrival.incoming, arrival.at, arrival.settles_at, arrival.outcome,
                arrival.error, arrival.other, arrival.body, arrival.callback, arrival.content_id, arrival.details,
                arrival.delivery_key,
            ),
        )  # fmt: skip
        return int(cursor.lastrowid or 0)

    def add_content(
        self, *, sender: str, reply_to: str, subject: str, plain: str, html: str, headers: str = "{}"
    ) -> int:
        """Remember what a mail says; gives its id."""
        cursor = self.db.execute(
            "INSERT INTO contents (sender, reply_to, subject, plain, html, headers) VALUES (?, ?, ?, ?, ?, ?)",
            (sender, reply_to, subject, plain, html, headers),
        )
        return int(cursor.lastrowid or 0)

    def content(self, content_id: int) -> tuple[str, str, str, str, str, str]:
        """What a mail says: sender, reply_to, subject, plain, html, headers."""
        row: tuple[str, str, str, str, str, str] = self.db.execute(
            "SELECT sender, reply_to, subject, plain, html, headers FROM contents WHERE id = ?", (content_id,)
        ).fetchone()
        return row

    def message(self, message_id: int) -> Message | None:
        """One message."""
        row = self.db.execute(f"SELECT {COLUMNS} {FROM} WHERE m.id = ?", (message_id,)).fetchone()
        return None if row is None else Message(*row)

    def texts(
        self,
        *,
        to: str = "",
        sender: str = "",
        days: tuple[float | None, float | None] = (None, None),
        before_id: int | None = None,
        limit: int,
    ) -> list[Message]:
        """Texts in both directions, newest first; ``days``: not before and earlier than, either of them open."""
        earliest, latest = days
        conditions = {
            "m.channel = 'text'": None,
            "m.id < :before": before_id,
            "m.at >= :earliest": earliest,
            "m.at < :latest": latest,
            f"({_PARTY.format('to', 0)} OR m.other = :to AND m.incoming = 1)": to or None,
            f"({_PARTY.format('sender', 1)} OR m.other = :sender AND m.incoming = 0)": sender or None,
        }
        used = [condition for condition, value in conditions.items() if value is not None or ":" not in condition]
        rows = self.db.execute(
            f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join(used)} ORDER BY m.id DESC LIMIT :limit",
            {"to": to, "sender": sender, "earliest": earliest, "latest": latest, "before": before_id, "limit": limit},
        )
        return [Message(*row) for row in rows]

    def change(self, message_id: int, *, outcome: str | None = None, body: str | None = None) -> None:
        """Cancel or redact a message."""
        self.db.execute(
            "UPDATE messages SET outcome = coalesce(?, outcome), body = coalesce(?, body) WHERE id = ?",
            (outcome, body, message_id),
        )
        if outcome is not None:
            self.db.execute("DELETE FROM outbox WHERE message_id = ?", (message_id,))

    # What providers still have to tell

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
            "WHERE o.kind = ? AND o.taken = 0 AND o.due <= ? ORDER BY o.due LIMIT ?",
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

    # Addresses that providers refuse, and fates that were decided by hand

    def suppress(self, kind: str, address: str, at: float, reason: str) -> None:
        """Refuse this address from now on."""
        self.db.execute("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?, ?)", (address, kind, at, reason))

    def unsuppress(self, kind: str, address: str) -> None:
        """No longer refuse this address."""
        self.db.execute("DELETE FROM suppressions WHERE kind = ? AND address = ?", (kind, address))

    def suppressed(self, address: str) -> set[str]:
        """The kinds of reasons for which providers refuse this address."""
        return {kind for (kind,) in self.db.execute("SELECT kind FROM suppressions WHERE address = ?", (address,))}

    def suppressions(self, kind: str, limit: int, offset: int) -> list[tuple[str, float, str]]:
        """``(address, at, reason)``, newest first."""
        return self.db.execute(
            "SELECT address, at, reason FROM suppressions WHERE kind = ? ORDER BY at DESC LIMIT ? OFFSET ?",
            (kind, limit, offset),
        ).fetchall()

    def decide(self, channel: str, address: str, fate: Fate) -> None:
        """Give an address a fate other than its own."""
        self.db.execute("INSERT OR REPLACE INTO decided_fates VALUES (?, ?, ?)", (channel, address, fate))
        self.db.execute("UPDATE boxes SET fate = ? WHERE channel = ? AND address = ?", (fate, channel, address))

    def decided(self) -> dict[tuple[str, str], Fate]:
        """Every fate that was decided by hand."""
        rows = self.db.execute("SELECT channel, address, fate FROM decided_fates").fetchall()
        return {(channel, address): Fate(fate) for channel, address, fate in rows}
