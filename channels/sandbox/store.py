"""Everything that the sandbox remembers: one SQLite file, so that a million messages need little memory.

One connection in one thread. Writes gather in an open transaction that :meth:`Store.commit` ends several times a
second; reads use the same connection and see everything at once.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from channels.sandbox.messages import COLUMNS, FROM, Arrival, Direction, Message
from channels.sandbox.outbox import Outbox
from channels.sandbox.people import Fate
from channels.sandbox.refusals import Refusals

SCHEMA = Path(__file__).with_name("schema.sql")
FILE = "sandbox-3.sqlite3"
"""The number goes up with every change to the schema: what an older sandbox remembered is left alone."""
CHANNELS = ("email", "text", "social")
PREVIEW = 120

_TABLES = ("messages", "contents", "boxes", "outbox", "suppressions", "decided_fates", "idempotency", "meta")
_BOX = """
INSERT INTO boxes (channel, address, fate, accepted, answers, last_at, last_words) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, address) DO UPDATE SET
    accepted = accepted + excluded.accepted, answers = answers + excluded.answers,
    last_at = excluded.last_at, last_words = excluded.last_words
RETURNING id, accepted
"""
_OPENED_BOX = """
INSERT INTO boxes (channel, address, fate, last_at) VALUES (?, ?, ?, ?)
ON CONFLICT (channel, address) DO UPDATE SET fate = fate RETURNING id
"""
_MESSAGE = """
INSERT INTO messages (channel, box_id, direction, at, settles_at, outcome, error, other, body, callback, content_id,
                      details, delivery_key, duplicate)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
       ?13 <> '' AND EXISTS (SELECT 1 FROM messages WHERE channel = ?1 AND delivery_key = ?13)
RETURNING id, duplicate
"""


@dataclass(slots=True)
class ChannelCounts:
    """A channel's account. ``duplicates``: messages whose delivery had been accepted before."""

    accepted: int = 0
    distinct_recipients: int = 0
    duplicates: int = 0


class Store:
    """The memory of a sandbox: in ``data_dir``, or for as long as the process runs."""

    def __init__(self, data_dir: Path | None = None) -> None:
        if data_dir is not None:
            data_dir.mkdir(parents=True, exist_ok=True)
        # An empty name is a private file that SQLite deletes itself; unlike ":memory:" it may spill to the disk.
        self.db = sqlite3.connect("" if data_dir is None else data_dir / FILE, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA cache_size = -65536")  # 64 MB: the indexes of some 200,000 messages
        self.db.execute("PRAGMA wal_autocheckpoint = 8192")
        self.db.executescript(SCHEMA.read_text())
        self.db.execute("BEGIN")
        self.outbox = Outbox(self.db)
        self.refusals = Refusals(self.db)
        self.series = self._series()
        self.counts = self._counts()

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
        for table in _TABLES:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
        self.series = self._series()
        self.counts = self._counts()
        self.commit()

    def _counts(self) -> dict[str, ChannelCounts]:
        """Counted once; :meth:`add` keeps them, so that asking costs nothing however many messages there are."""
        duplicates = dict(
            self.db.execute("SELECT channel, count(*) FROM messages WHERE duplicate = 1 GROUP BY channel").fetchall()
        )
        counts = {channel: ChannelCounts() for channel in CHANNELS}
        for channel, accepted, recipients in self.db.execute(
            "SELECT channel, sum(accepted), count(*) FROM boxes WHERE accepted > 0 GROUP BY channel"
        ):
            counts[channel] = ChannelCounts(accepted, recipients, duplicates.get(channel, 0))
        return counts

    def _series(self) -> str:
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('series', ?)", (secrets.token_hex(8),))
        (series,) = self.db.execute("SELECT value FROM meta WHERE name = 'series'").fetchone()
        return str(series)

    # Messages

    def add(self, arrival: Arrival) -> int:
        """Remember a message; gives its id. A second one with the same ``delivery_key`` counts as a duplicate."""
        accepted, answers = arrival.direction == Direction.OUT, arrival.direction == Direction.IN
        preview = (arrival.preview or arrival.body)[:PREVIEW]
        box = (arrival.channel, arrival.address, arrival.fate, accepted, answers, arrival.at, preview)
        box_id, of_this_person = self.db.execute(_BOX, box).fetchone()
        message_id, duplicate = self.db.execute(
            _MESSAGE,
            (
                arrival.channel, box_id, arrival.direction, arrival.at, arrival.settles_at, arrival.outcome,
                arrival.error, arrival.other, arrival.body, arrival.callback, arrival.content_id, arrival.details,
                arrival.delivery_key,
            ),
        ).fetchone()  # fmt: skip
        if accepted:
            counts = self.counts[arrival.channel]
            counts.accepted += 1
            counts.distinct_recipients += of_this_person == 1
            counts.duplicates += duplicate
        return int(message_id)

    def open_box(self, channel: str, address: str, fate: Fate, at: float) -> int:
        """The id of an address's box, which is there from now on."""
        (box_id,) = self.db.execute(_OPENED_BOX, (channel, address, fate, at)).fetchone()
        return int(box_id)

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
        to_box, from_box = self._phone(to), self._phone(sender)
        conditions = {
            "+m.channel = 'text'": True,  # the plus: no index, else the newest were found by sorting all texts
            "m.id < :before": before_id is not None,
            "m.at >= :earliest": earliest is not None,
            "m.at < :latest": latest is not None,
            "m.box_id = :to_box AND m.direction <> 'in'": to_box is not None,
            "m.other = :to AND m.direction = 'in'": bool(to) and to_box is None,
            "m.box_id = :from_box AND m.direction = 'in'": from_box is not None,
            "m.other = :sender AND m.direction <> 'in'": bool(sender) and from_box is None,
        }
        where = " AND ".join(condition for condition, used in conditions.items() if used)
        values: dict[str, str | float | None] = {"to": to, "sender": sender, "to_box": to_box, "from_box": from_box}
        values |= {"earliest": earliest, "latest": latest, "before": before_id, "limit": limit}
        rows = self.db.execute(f"SELECT {COLUMNS} {FROM} WHERE {where} ORDER BY m.id DESC LIMIT :limit", values)
        return [Message(*row) for row in rows]

    def _phone(self, number: str) -> int | None:
        """The phone with this number. None: it is ours, or nobody's that we know."""
        row = self.db.execute("SELECT id FROM boxes WHERE channel = 'text' AND address = ?", (number,)).fetchone()
        return None if row is None else int(row[0])

    def change(self, message_id: int, *, outcome: str | None = None, body: str | None = None) -> None:
        """Cancel or redact a message."""
        self.db.execute(
            "UPDATE messages SET outcome = coalesce(?, outcome), body = coalesce(?, body) WHERE id = ?",
            (outcome, body, message_id),
        )
        if outcome is not None:
            self.db.execute("DELETE FROM outbox WHERE message_id = ?", (message_id,))
