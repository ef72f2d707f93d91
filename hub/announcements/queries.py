"""What the pages for writing an announcement need to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement, Variant
from hub.errors import NotFound
from hub.participants.models import (
    ContactPoint,
    ContactPointState,
    Format,
    Membership,
    NeededFormat,
    Participant,
)


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """A person who was chosen."""

    id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class Need:
    """So many people need a language or a format."""

    name: str
    people: int


def announcement_with(session: Session, announcement_id: int) -> Announcement:
    """The announcement. Raises NotFound."""
    announcement = session.get(Announcement, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    return announcement


def everyone(session: Session) -> int:
    """How many people there are who have not left."""
    return session.scalar(select(func.count()).select_from(Participant).where(Participant.archived_at.is_(None))) or 0


def people_with(session: Session, ids: Iterable[int]) -> list[PersonChoice]:
    """The people with these ids, by name; also those who have left since they were chosen."""
    found = session.scalars(
        select(Participant).where(Participant.id.in_(set(ids))).order_by(Participant.sort_name, Participant.id)
    )
    return [PersonChoice(person.id, person.full_name) for person in found]


def first_person(session: Session, announcement: Announcement) -> int | None:
    """Somebody to preview an announcement for: of its audience where that is simple to tell, else anybody."""
    people = select(Participant.id).where(Participant.archived_at.is_(None)).order_by(Participant.id).limit(1)
    included = [row.group_id for row in announcement.groups if row.included]
    named = [row.participant_id for row in announcement.people if row.included]
    if included and not announcement.everyone:
        members = select(Membership.participant_id).where(Membership.group_id.in_(included))
        found = session.scalar(people.where(Participant.id.in_(members)))
        if found is not None:
            return found
    if named and not announcement.everyone:
        return named[0]
    return session.scalar(people)


def channels_of(session: Session, participant_id: int) -> list[str]:
    """The channels on which a person can be reached, in the person's own order."""
    found = session.scalars(
        select(ContactPoint.channel)
        .where(
            ContactPoint.participant_id == participant_id,
            ContactPoint.state == ContactPointState.USABLE,
            ContactPoint.rank.is_not(None),
        )
        .order_by(ContactPoint.rank)
    )
    return [channel for channel in dict.fromkeys(found) if channel in CHANNELS]


def languages_needed(session: Session) -> list[Need]:
    """The languages that people have, most first."""
    people = func.count().label("people")
    found = session.execute(
        select(Participant.language, people)
        .where(Participant.archived_at.is_(None))
        .group_by(Participant.language)
        .order_by(people.desc(), Participant.language)
    )
    return [Need(*row) for row in found]


def languages_written(session: Session, announcement_id: int) -> set[str]:
    """The languages that an announcement has texts in."""
    return set(session.scalars(select(Variant.language).where(Variant.announcement_id == announcement_id)))


def formats_needed(session: Session) -> list[Need]:
    """The formats that people need, most first."""
    people = func.count().label("people")
    found = session.execute(
        select(NeededFormat.format, people)
        .join(Participant, Participant.id == NeededFormat.participant_id)
        .where(Participant.archived_at.is_(None), NeededFormat.format != Format.STANDARD)
        .group_by(NeededFormat.format)
        .order_by(people.desc())
    )
    return [Need(row[0].value, row[1]) for row in found]
