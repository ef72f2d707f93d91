"""Reads of what people told us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement
from hub.conversations.models import Reply, ReplyKind
from hub.paging import Page, page_bounds
from hub.participants.models import ContactPoint, Participant


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may have written a reply."""

    id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """One reply, with whoever wrote it: one person, the people who share the address, or nobody we know."""

    id: int
    channel: str
    from_address: str
    subject: str
    body: str
    kind: ReplyKind
    received_at: datetime
    read_at: datetime | None
    announcement_id: int | None
    announcement_title: str | None
    people: tuple[Person, ...]


def unread_count(session: Session) -> int:
    """How many replies nobody has looked at yet."""
    return session.scalar(select(func.count()).select_from(Reply).where(Reply.read_at.is_(None))) or 0


def replies(
    session: Session, *, unread_only: bool = False, search: str = "", page: int = 1, per_page: int = 25
) -> Page[ReplyRow]:
    """Replies, newest first. ``search`` looks for every word in texts, addresses and names."""
    offset, limit = page_bounds(page, per_page)
    conditions = _conditions(unread_only, search)
    listed = _listed().where(*conditions)
    total = session.scalar(select(func.count()).select_from(listed.order_by(None).subquery())) or 0
    found = session.execute(
        listed.order_by(Reply.received_at.desc(), Reply.id.desc()).offset(offset).limit(limit)
    ).all()
    sharers = _sharers(session, {row.from_address for row in found if row.participant_id is None})
    return Page(items=[_row(row, sharers) for row in found], page=page, per_page=limit, total=total)


def _listed() -> Any:
    return (
        select(
            Reply.id,
            Reply.channel,
            Reply.from_address,
            Reply.subject,
            Reply.body,
            Reply.kind,
            Reply.received_at,
            Reply.read_at,
            Reply.participant_id,
            Announcement.id.label("announcement_id"),
            Announcement.title.label("announcement_title"),
            Participant.first_name,
            Participant.last_name,
            Participant.known_as,
        )
        .outerjoin(Participant, Participant.id == Reply.participant_id)
        .outerjoin(Announcement, Announcement.id == Reply.announcement_id)
    )


def _conditions(unread_only: bool, search: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Reply.read_at.is_(None)] if unread_only else []
    for word in search.replace("\0", "").split():
        conditions.append(
            or_(
                Reply.body.icontains(word, autoescape=True),
                Reply.subject.icontains(word, autoescape=True),
                Reply.from_address.icontains(word, autoescape=True),
                Participant.search_text.contains(word.casefold(), autoescape=True),
            )
        )
    return conditions


def _sharers(session: Session, addresses: set[str]) -> dict[str, tuple[Person, ...]]:
    """Everybody who has one of these addresses, on whichever channel of its kind."""
    sharers: dict[str, dict[int, Person]] = {}
    if addresses:
        found = session.execute(
            select(ContactPoint.address, Participant)
            .join(Participant, Participant.id == ContactPoint.participant_id)
            .where(ContactPoint.address.in_(addresses), ContactPoint.channel.in_(list(CHANNELS)))
            .where(Participant.archived_at.is_(None))
            .order_by(Participant.id)
        )
        for address, person in found:
            sharers.setdefault(address, {})[person.id] = Person(person.id, person.full_name)
    return {address: tuple(people.values()) for address, people in sharers.items()}


def _row(row: Any, sharers: dict[str, tuple[Person, ...]]) -> ReplyRow:
    if row.participant_id is None:
        people = sharers.get(row.from_address, ())
    else:
        names = (row.first_name or row.known_as, row.last_name)
        people = (Person(row.participant_id, " ".join(name for name in names if name)),)
    return ReplyRow(
        id=row.id,
        channel=row.channel,
        from_address=row.from_address,
        subject=row.subject,
        body=row.body,
        kind=row.kind,
        received_at=row.received_at,
        read_at=row.read_at,
        announcement_id=row.announcement_id,
        announcement_title=row.announcement_title,
        people=people,
    )
