"""Everybody as a spreadsheet: what an import reads back as the same people."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from hub.participants.addresses import shown
from hub.participants.importing.exported import with_guard, write_order, write_states, write_topics
from hub.participants.importing.records import Key, hours_in_words
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ContactPoint,
    ContactPointKind,
    Group,
    Membership,
    NeededFormat,
    Participant,
    Topic,
    TopicPreference,
)

PEOPLE_AT_ONCE = 2_000
BYTE_ORDER_MARK = "\ufeff"
"""Tells spreadsheet programs that the file is UTF-8."""

HEADINGS = (
    "Everyway number",
    "First name",
    "Last name",
    "Known as",
    "Email",
    "Mobile",
    "Landline",
    "Phone",
    "Mastodon",
    "Order of contact",
    "Not to be used",
    "Topics chosen",
    "Best time to call",
    "Quiet hours",
    "Paused until",
    "Language",
    "Time zone",
    "Format needed",
    "Groups",
    "How to talk",
    "Notes",
    "Joined",
    "Consent recorded",
    "Consent date",
    "Member number",
    "Left",
)
_NEEDS_QUOTES = re.compile(r'[";,|]|:::')


@dataclass(slots=True)
class _Belongings:
    """What belongs to one person, from the other tables."""

    points: list[Row[Any]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    consent: tuple[str, str] = ("", "")
    topics: dict[str, list[Key]] = field(default_factory=dict)


def export_csv(session: Session) -> Iterator[str]:
    """The whole file in pieces, as CSV text with a byte order mark; encode it as UTF-8.

    Everybody is in it, also those who have left. Cells that a spreadsheet would run as a formula have an apostrophe
    in front, which an import takes away again. Only as many people as one piece has are in memory.
    """
    yield BYTE_ORDER_MARK + _lines([HEADINGS])
    for rows in _rows(session):
        yield _lines(rows)


def export_json(session: Session) -> Iterator[str]:
    """The same in pieces of one JSON array: an object for each person, heading -> text, nothing guarded."""
    separator = "["
    for rows in _rows(session):
        for row in rows:
            yield separator + json.dumps(dict(zip(HEADINGS, row, strict=True)), ensure_ascii=False)
            separator = ",\n"
    yield "[]\n" if separator == "[" else "]\n"


def _rows(session: Session) -> Iterator[list[list[str]]]:
    last = 0
    while people := session.execute(_people_after(last)).all():
        last = people[-1].id
        belongings = _belongings(session, [person.id for person in people])
        yield [_cells(person, belongings[person.id]) for person in people]


def count_people(session: Session) -> int:
    """How many people an export has."""
    return session.scalar(select(func.count()).select_from(Participant)) or 0


def _people_after(last: int) -> Any:
    table = Participant.__table__
    return select(table).where(table.c.id > last).order_by(table.c.id).limit(PEOPLE_AT_ONCE)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([with_guard(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cells(person: Row[Any], has: _Belongings) -> list[str]:
    by_kind = {
        kind: "; ".join(dict.fromkeys(shown(point.address) for point in has.points if point.kind is kind))
        for kind in ContactPointKind
    }
    agreed, agreed_at = has.consent
    quiet = hours_in_words((person.quiet_from, person.quiet_until))
    return [
        str(person.id),
        person.first_name,
        person.last_name,
        person.known_as,
        by_kind[ContactPointKind.MAILBOX],
        by_kind[ContactPointKind.MOBILE],
        by_kind[ContactPointKind.LANDLINE],
        by_kind[ContactPointKind.PHONE],
        by_kind[ContactPointKind.ACCOUNT],
        write_order(((point.channel, point.address), point.rank, point.label) for point in has.points),
        write_states(((point.channel, point.address), point.state, point.state_reason) for point in has.points),
        write_topics(has.topics),
        person.best_time_to_call,
        quiet,
        person.paused_until.isoformat() if person.paused_until else "",
        person.language,
        person.time_zone,
        "; ".join(has.formats),
        "; ".join(_quoted(name) for name in sorted(has.groups, key=str.casefold)),
        person.how_to_talk,
        person.notes,
        person.joined_on.isoformat() if person.joined_on else "",
        agreed,
        agreed_at,
        person.external_id or "",
        "yes" if person.archived_at else "",
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name


def _belongings(session: Session, ids: Sequence[int]) -> dict[int, _Belongings]:
    found = {participant_id: _Belongings() for participant_id in ids}
    first, last = ids[0], ids[-1]
    points = ContactPoint.__table__
    for point in session.execute(
        select(points)
        .where(points.c.participant_id.between(first, last))
        .order_by(points.c.participant_id, points.c.rank.is_(None), points.c.rank, points.c.id)
    ):
        found[point.participant_id].points.append(point)
    for participant_id, name in session.execute(
        select(Membership.participant_id, Group.name)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.participant_id.between(first, last))
    ):
        found[participant_id].groups.append(name)
    for participant_id, needed in session.execute(
        select(NeededFormat.participant_id, NeededFormat.format)
        .where(NeededFormat.participant_id.between(first, last))
        .order_by(NeededFormat.format)
    ):
        found[participant_id].formats.append(needed.value.replace("_", " "))
    _add_consent(session, found, first, last)
    _add_topics(session, found, first, last)
    return found


def _add_consent(session: Session, found: dict[int, _Belongings], first: int, last: int) -> None:
    for event in session.execute(
        select(ConsentEvent.participant_id, ConsentEvent.wording, ConsentEvent.happened_at)
        .where(
            ConsentEvent.participant_id.between(first, last),
            ConsentEvent.kind == ConsentKind.AGREED,
            ConsentEvent.topic_id.is_(None),
            ConsentEvent.wording != "",
        )
        .order_by(ConsentEvent.happened_at, ConsentEvent.id)
    ):
        found[event.participant_id].consent = (event.wording, event.happened_at.isoformat())


def _add_topics(session: Session, found: dict[int, _Belongings], first: int, last: int) -> None:
    for row in session.execute(
        select(TopicPreference.participant_id, Topic.name, ContactPoint.channel, ContactPoint.address)
        .join(Topic, Topic.id == TopicPreference.topic_id)
        .outerjoin(ContactPoint, ContactPoint.id == TopicPreference.contact_point_id)
        .where(TopicPreference.participant_id.between(first, last))
        .order_by(TopicPreference.topic_id, TopicPreference.rank)
    ):
        keys = found[row.participant_id].topics.setdefault(row.name, [])
        if row.channel is not None:
            keys.append((row.channel, row.address))
