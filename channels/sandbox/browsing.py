"""What the sandbox's pages list: people's phones and mailboxes, a phone's thread, a mailbox, the public timeline."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import phonenumbers

from channels.sandbox.messages import COLUMNS, FROM, Direction, Message
from channels.sandbox.people import IN_WORDS, Fate
from channels.sandbox.reading import Reading, Seen
from channels.sandbox.store import Store

PER_PAGE = 20
THREAD = 60
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Box:
    """A person's phone (channel text) or mailbox (channel email)."""

    id: int
    channel: str
    address: str
    fate: str
    accepted: int
    answers: int
    last_at: float
    last_words: str

    @property
    def shown(self) -> str:
        """The address as people write it."""
        if self.channel != "text":
            return self.address
        try:
            number = phonenumbers.parse(self.address)
        except phonenumbers.NumberParseException:
            return self.address
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @property
    def path(self) -> str:
        """Its page."""
        return f"/{'phones' if self.channel == 'text' else 'mailboxes'}/{self.id}"

    @property
    def fate_in_words(self) -> str:
        """What it does with what is sent to it."""
        return IN_WORDS[Fate(self.fate)]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a longer list, with the number of all."""

    rows: list[Row]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.per_page))


BOX = ", ".join(field.name for field in fields(Box))


def boxes(store: Store, *, channel: str = "", search: str = "", unlucky: bool = False, page: int = 1) -> Page[Box]:
    """Phones and mailboxes, the one with the latest message first. ``unlucky``: only those that something befalls."""
    conditions, values = ["channel <> 'social'"], []
    if channel:
        conditions.append("channel = ?")
        values.append(channel)
    if unlucky:
        conditions.append("fate <> 'fine'")
    if search:
        conditions.append("address LIKE ? ESCAPE '\\'")
        values.append(_pattern(search))
    where = " AND ".join(conditions)
    (total,) = store.db.execute(f"SELECT count(*) FROM boxes WHERE {where}", values).fetchone()  # noqa: S608 - constants
    rows = store.db.execute(
        f"SELECT {BOX} FROM boxes WHERE {where} ORDER BY last_at DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608 - as above
        (*values, PER_PAGE, (page - 1) * PER_PAGE),
    )
    return Page([Box(*row) for row in rows], page, total)


def _pattern(search: str) -> str:
    """A number is found however it is written: 07700 900123, +44 (0)7700 900123 …"""
    words = search.strip().lower()
    if re.fullmatch(r"[+\d\s().-]+", words):
        words = re.sub(r"^(?:\+44|0044)?0?", "", re.sub(r"\(0\)|[\s().-]", "", words))
    for special in "\\%_":
        words = words.replace(special, "\\" + special)
    return f"%{words}%"


def box(store: Store, box_id: int, channel: str) -> Box | None:
    """One phone or mailbox."""
    row = store.db.execute(f"SELECT {BOX} FROM boxes WHERE id = ? AND channel = ?", (box_id, channel)).fetchone()  # noqa: S608
    return None if row is None else Box(*row)


def thread(reading: Reading, box_id: int, *, before: int | None = None) -> tuple[list[Seen], int | None]:
    """A phone's texts in the order of time, and where the earlier ones begin, if there are any."""
    found = _messages(reading, "m.box_id = ? AND m.id < ?", (box_id, before or 2**62), THREAD + 1)
    more = found[THREAD - 1].id if len(found) > THREAD else None
    return [reading.seen(message) for message in reversed(found[:THREAD])], more


def mails(reading: Reading, box_id: int, page: int) -> Page[tuple[int, Seen]]:
    """The mails of a mailbox with their numbers, newest first."""
    (total,) = reading.sandbox.store.db.execute("SELECT count(*) FROM messages WHERE box_id = ?", (box_id,)).fetchone()
    found = _messages(reading, "m.box_id = ?", (box_id,), PER_PAGE, (page - 1) * PER_PAGE)
    return Page([(message.id, reading.seen(message)) for message in found], page, total)


def mail(reading: Reading, box_id: int, message_id: int) -> Message | None:
    """One message of a mailbox."""
    found = _messages(reading, "m.box_id = ? AND m.id = ?", (box_id, message_id), 1)
    return found[0] if found else None


def posts(reading: Reading, page: int) -> Page[tuple[int, Seen]]:
    """The public timeline, newest first."""
    (total,) = reading.sandbox.store.db.execute("SELECT count(*) FROM messages WHERE channel = 'social'").fetchone()
    found = _messages(reading, "m.channel = 'social'", (), PER_PAGE, (page - 1) * PER_PAGE)
    return Page([(message.id, reading.seen(message)) for message in found], page, total)


def last_sender(store: Store, box_id: int) -> str:
    """The number that texted this phone last; empty if none has."""
    row = store.db.execute(
        "SELECT other FROM messages WHERE box_id = ? AND direction = ? ORDER BY id DESC LIMIT 1",
        (box_id, Direction.OUT),
    ).fetchone()
    return "" if row is None else str(row[0])


def _messages(reading: Reading, where: str, values: tuple[int, ...], limit: int, offset: int = 0) -> list[Message]:
    rows = reading.sandbox.store.db.execute(
        f"SELECT {COLUMNS} {FROM} WHERE {where} ORDER BY m.id DESC LIMIT ? OFFSET ?", (*values, limit, offset)
    )
    return [Message(*row) for row in rows]
