"""From a row of a contact file to what it says about one person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, field
from datetime import date, datetime, time

from hub.participants.importing.wording import Wish
from hub.participants.models import ContactPointKind, ContactPointState, Format

Key = tuple[str, str]
"""A contact point of a person: channel and address."""


@dataclass(frozen=True, slots=True)
class Point:
    """A contact point as a file gives it. ``state`` is bad where the address can't be read."""

    channel: str
    address: str
    kind: ContactPointKind
    label: str = ""
    state: ContactPointState = ContactPointState.USABLE
    reason: str = ""
    readable: bool = True
    """False: it is kept as it was written."""

    @property
    def key(self) -> Key:
        """What tells it from the person's others."""
        return (self.channel, self.address)


@dataclass(frozen=True, slots=True)
class Stop:
    """A channel that the person does not want, in the file's words; ``at`` where the file says when."""

    channel: str
    wording: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person agreed to, in the file's words. ``channel`` empty: everything."""

    wording: str
    channel: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Record:
    """What a row, or several rows about the same person, say."""

    row: int
    texts: dict[str, str] = field(default_factory=dict)
    """Columns of the participant that are text -> value; only those with a value."""
    external_id: str = ""
    hub_number: int | None = None
    joined_on: date | None = None
    quiet: tuple[time, time] | None = None
    paused_until: datetime | None = None
    formats: frozenset[Format] = frozenset()
    groups: dict[str, None] = field(default_factory=dict)
    note_lines: dict[str, None] = field(default_factory=dict)
    points: dict[Key, Point] = field(default_factory=dict)
    words: str = ""
    """The cells that say how the person wants to be reached, with their headings: the evidence."""
    wish: Wish = field(default_factory=Wish)
    other_ways: Wish = field(default_factory=Wish)
    order: tuple[Key, ...] | None = None
    """The whole order, where the file is an export of ours."""
    topics: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    """Name of a topic -> the order for it, or nothing at all where it is empty; from an export of ours alone."""
    stops: list[Stop] = field(default_factory=list)
    not_agreed: set[str] = field(default_factory=set)
    consents: list[Consent] = field(default_factory=list)
    ended: bool = False
    """They have unsubscribed, so that nothing may be sent which they have not asked for elsewhere in the row."""
    proposed_how_to_talk: str = ""
    """What the notes say about calling, for people of whom nothing else is known about it."""
    left: bool = False
    look: list[str] = field(default_factory=list)
    """Why a person should look at this row."""
    notes: list[str] = field(default_factory=list)
    """What was made of the row, where that is worth saying and nobody needs to do anything."""

    @property
    def name(self) -> str:
        """The person's name, for the report."""
        first = self.texts.get("first_name") or self.texts.get("known_as", "")
        return " ".join(part for part in (first, self.texts.get("last_name", "")) if part)

    @property
    def addresses(self) -> set[str]:
        """All addresses, whatever the channel."""
        return {address for _, address in self.points}

    @property
    def has_words(self) -> bool:
        """The row says how the person wants to be reached."""
        return not (self.wish.is_empty and self.other_ways.is_empty)


_LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "known_as": "Name they use",
    "language": "Language",
    "time_zone": "Time zone",
    "best_time_to_call": "Best time to call",
    "how_to_talk": "What a caller needs to know",
}


def label_of(column: str) -> str:
    """A participant's text column, as organisers read it."""
    return _LABELS.get(column, column)


def merge(first: Record, later: Record) -> bool:
    """Add to ``first`` what a later row says about the same person; True if that is anything new.

    Where both say something different, the first row counts, and the later one needs a look.
    """
    before = _size(first)
    for column, value in later.texts.items():
        kept = first.texts.setdefault(column, value)
        if not _same_text(column, kept, value):
            _differs(first, later, label_of(column), kept, value)
    _merge_single(first, later)
    _merge_words(first, later)
    first.formats |= later.formats
    for name in ("groups", "note_lines", "points", "topics"):
        mine: dict[object, object] = getattr(first, name)
        for key, value in getattr(later, name).items():
            mine.setdefault(key, value)
    first.stops.extend(stop for stop in later.stops if stop not in first.stops)
    first.consents.extend(consent for consent in later.consents if consent not in first.consents)
    first.ended |= later.ended
    first.proposed_how_to_talk = first.proposed_how_to_talk or later.proposed_how_to_talk
    first.not_agreed |= later.not_agreed
    first.left |= later.left
    return _size(first) != before


def _merge_single(first: Record, later: Record) -> None:
    shown: Sequence[tuple[str, str, Callable[[object], str]]] = (
        ("external_id", "Number in another system", str),
        ("joined_on", "Date of joining", str),
        ("quiet", "Quiet hours", hours_in_words),
        ("paused_until", "Nothing until", str),
    )
    for name, label, words in shown:
        mine, other = getattr(first, name), getattr(later, name)
        if other and not mine:
            setattr(first, name, other)
        elif other and mine != other:
            _differs(first, later, label, words(mine), words(other))


def _merge_words(first: Record, later: Record) -> None:
    if first.has_words and later.has_words:
        if (first.wish, first.other_ways) != (later.wish, later.other_ways):
            _differs(first, later, "How to contact them", first.words, later.words)
    elif later.has_words:
        first.words, first.wish, first.other_ways = later.words, later.wish, later.other_ways


def _differs(first: Record, later: Record, what: str, kept: str, other: str) -> None:
    later.look.append(f"{what}: this row says “{other}” and row {first.row} says “{kept}”, which was kept.")


def _same_text(column: str, one: str, other: str) -> bool:
    return one == other or (column != "notes" and one.casefold() == other.casefold())


def _size(record: Record) -> tuple[object, ...]:
    counted: Iterable[Sized] = (record.texts, record.groups, record.note_lines, record.points, record.formats)
    return (
        *(len(part) for part in counted),
        record.has_words,
        record.left,
        bool(record.joined_on),
        bool(record.external_id),
        bool(record.quiet),
        bool(record.paused_until),
        len(record.stops),
        len(record.consents),
    )


def hours_in_words(hours: object) -> str:
    """Quiet hours as they are written in files: 21:00-08:00."""
    begin, end = hours if isinstance(hours, tuple) else ("", "")
    return f"{begin:%H:%M}-{end:%H:%M}" if isinstance(begin, time) else ""
