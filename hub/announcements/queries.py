"""What the pages for writing an announcement need to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement
from hub.errors import NotFound
from hub.participants.models import (
    ContactPoint,
    ContactPointState,
    Format,
    Group,
    Membership,
    NeededFormat,
    Participant,
    Topic,
)

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """A group, and how many people are in it."""

    id: int
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """A person to choose from a list, with something to tell namesakes apart."""

    id: int
    full_name: str
    groups: str


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


def topics(session: Session) -> list[tuple[int, str]]:
    """Id and name of every topic, by name."""
    return [(row.id, row.name) for row in session.execute(select(Topic.id, Topic.name).order_by(Topic.name))]


def group_choices(session: Session) -> list[GroupChoice]:
    """Every group by name, with the people of it who have not left."""
    found = session.execute(
        select(Group.id, Group.name, func.count(Participant.id))
        .outerjoin(Membership, Membership.group_id == Group.id)
        .outerjoin(Participant, and_(Participant.id == Membership.participant_id, Participant.archived_at.is_(None)))
        .group_by(Group.id, Group.name)
        .order_by(func.lower(Group.name))
    )
    return [GroupChoice(*row) for row in found]


def everyone(session: Session) -> int:
    """How many people there are who have not left."""
    return session.scalar(select(func.count()).select_from(Participant).where(Participant.archived_at.is_(None))) or 0


def people_with(session: Session, ids: Iterable[int]) -> list[PersonChoice]:
    """The people with these ids, by name."""
    return _people(session, Participant.id.in_(set(ids)), limit=None)


def find_people(session: Session, words: str, limit: int = MOST_FOUND) -> list[PersonChoice]:
    """The first people by name whose names or addresses hold every one of the words."""
    parts = words.casefold().replace("\x00", "").split()
    if not parts:
        return []
    holds = [Participant.search_text.contains(part, autoescape=True) for part in parts[:8]]
    return _people(session, and_(*holds), limit=limit)


def _people(session: Session, condition: ColumnElement[bool], limit: int | None) -> list[PersonChoice]:
    found = session.execute(
        select(Participant.id, Participant.first_name, Participant.known_as, Participant.last_name)
        .where(Participant.archived_at.is_(None), condition)
        .order_by(Participant.sort_name, Participant.id)
        .limit(limit)
    ).all()
    names: dict[int, list[str]] = {row.id: [] for row in found}
    memberships = session.execute(
        select(Membership.participant_id, Group.name)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.participant_id.in_(list(names)))
        .order_by(Group.name)
    )
    for person_id, group in memberships:
        names[person_id].append(group)
    return [
        PersonChoice(row.id, " ".join(filter(None, (row.first_name or row.known_as, row.last_name))), ", ".join(groups))
        for row, groups in ((row, names[row.id]) for row in found)
    ]


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
