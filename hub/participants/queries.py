"""Reading about people: the list, one person's page, and the numbers on the home page."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from hub.paging import Page, page_bounds
from hub.participants.addresses import shown
from hub.participants.models import (
    ContactPoint,
    ContactPointState,
    Group,
    Membership,
    NeededFormat,
    Participant,
    Topic,
)
from hub.participants.profile import Person, person
from hub.participants.rules import like_pattern, search_terms

__all__ = [
    "GroupRow",
    "PeopleCounts",
    "PeopleFilter",
    "PeopleSort",
    "Person",
    "PersonRow",
    "groups",
    "people",
    "people_counts",
    "person",
    "topics",
]

SEPARATOR = "\x1f"
"""Between group names that come out of the database in one value."""


class PeopleFilter(StrEnum):
    """What the list of people can be narrowed down to. All but ``LEFT`` leave out those who have left."""

    NO_WAY = "no_way"
    """Nothing usable that the person agreed to."""
    NOTHING_CHOSEN = "nothing_chosen"
    """Contact points, none of which the person agreed to."""
    BAD = "bad"
    """A contact point that doesn't work."""
    OPTED_OUT = "opted_out"
    """A contact point that was opted out."""
    PAUSED = "paused"
    FORMAT = "format"
    """Needs a format other than the standard one."""
    LEFT = "left"


class PeopleSort(StrEnum):
    """The order of the list."""

    NAME = "name"
    NAME_BACKWARDS = "-name"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person on a list. Channel, address and state are of the contact point that is tried first.

    That is the first usable one of the general order, or the first at all where none is usable; all three are
    empty where the person has agreed to nothing.
    """

    id: int
    full_name: str
    known_as: str
    channel: str
    address: str
    state: ContactPointState | None
    groups: tuple[str, ...]
    language: str
    joined_on: date | None
    paused_until: datetime | None
    """None, too, where a pause is over."""
    left: bool

    @property
    def no_way(self) -> bool:
        """Nothing usable that the person agreed to."""
        return self.state is not ContactPointState.USABLE


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """How the list stands; each number but ``people`` is the size of a filter of the same name."""

    people: int
    no_way: int
    nothing_chosen: int
    bad: int
    opted_out: int
    paused: int
    left: int


COUNTED = [field.name for field in fields(PeopleCounts)]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group and how many people are in it."""

    id: int
    name: str
    people: int


def people(
    session: Session,
    *,
    now: datetime,
    search: str = "",
    group_id: int | None = None,
    channel: str | None = None,
    state: ContactPointState | None = None,
    only: PeopleFilter | None = None,
    page: int = 1,
    per_page: int = 50,
    sort: PeopleSort = PeopleSort.NAME,
) -> Page[PersonRow]:
    """A page of the people that all conditions hold for.

    ``search`` looks for every word in names, addresses and the number in another system; a phone number may be
    typed in any way. ``channel`` is the channel that is tried first; ``state`` is that of any contact point.
    """
    first = aliased(ContactPoint)
    chosen = _first_rung().label("first")
    conditions = _conditions(now, search, group_id, state, only)
    if channel is not None:
        conditions.append(_first_rung(ContactPoint.channel) == channel)
    total = session.scalar(select(func.count()).select_from(Participant).where(*conditions)) or 0
    offset, limit = page_bounds(page, per_page)
    these = (
        select(Participant.id, chosen).where(*conditions).order_by(*_order(sort)).offset(offset).limit(limit).subquery()
    )
    rows = session.execute(
        select(Participant, first, _group_names())
        .join(these, these.c.id == Participant.id)
        .outerjoin(first, first.id == these.c.first)
        .order_by(*_order(sort))
    )
    return Page([_row(*found, now=now) for found in rows], max(page, 1), limit, total)


def people_counts(session: Session, now: datetime) -> PeopleCounts:
    """How the list stands, in one statement."""

    def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(*conditions)

    here = Participant.archived_at.is_(None)
    row = session.execute(
        select(
            count(here),
            *(count(here, _FILTERS[one]) for one in (PeopleFilter.NO_WAY, PeopleFilter.NOTHING_CHOSEN)),
            *(count(here, _FILTERS[one]) for one in (PeopleFilter.BAD, PeopleFilter.OPTED_OUT)),
            count(here, Participant.paused_until > now),
            count(~here),
        ).select_from(Participant)
    ).one()
    return PeopleCounts(**dict(zip(COUNTED, row, strict=True)))


def groups(session: Session) -> list[GroupRow]:
    """All groups by name, with how many people who have not left are in each."""
    here = func.count(Participant.id)
    rows = session.execute(
        select(Group.id, Group.name, here)
        .outerjoin(Membership, Membership.group_id == Group.id)
        .outerjoin(Participant, and_(Participant.id == Membership.participant_id, Participant.archived_at.is_(None)))
        .group_by(Group.id, Group.name)
    )
    return sorted((GroupRow(*row) for row in rows), key=lambda group: group.name.casefold())


def topics(session: Session) -> list[Topic]:
    """All topics, in the order in which they were made."""
    return list(session.scalars(select(Topic).order_by(Topic.id)))


def _conditions(
    now: datetime, search: str, group_id: int | None, state: ContactPointState | None, only: PeopleFilter | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Participant.archived_at.is_not(None) if only is PeopleFilter.LEFT else Participant.archived_at.is_(None)
    ]
    conditions += [Participant.search_text.like(like_pattern(term), escape="\\") for term in search_terms(search)]
    if group_id is not None:
        conditions.append(_has(Membership, Membership.group_id == group_id))
    if state is not None:
        conditions.append(_has(ContactPoint, ContactPoint.state == state))
    if only is PeopleFilter.PAUSED:
        conditions.append(Participant.paused_until > now)
    elif only in _FILTERS:
        conditions.append(_FILTERS[only])
    return conditions


def _has(kind: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(kind.participant_id == Participant.id, *conditions).correlate(Participant)


_RANKED = ContactPoint.rank.is_not(None)
_FILTERS: dict[PeopleFilter, ColumnElement[bool]] = {
    PeopleFilter.NO_WAY: ~_has(ContactPoint, _RANKED, ContactPoint.state == ContactPointState.USABLE),
    PeopleFilter.NOTHING_CHOSEN: and_(_has(ContactPoint), ~_has(ContactPoint, _RANKED)),
    PeopleFilter.BAD: _has(ContactPoint, ContactPoint.state == ContactPointState.BAD),
    PeopleFilter.OPTED_OUT: _has(ContactPoint, ContactPoint.state == ContactPointState.OPTED_OUT),
    PeopleFilter.FORMAT: _has(NeededFormat),
}


def _first_rung(what: Any = ContactPoint.id) -> ScalarSelect[Any]:
    usable_first = (ContactPoint.state != ContactPointState.USABLE, ContactPoint.rank, ContactPoint.id)
    return (
        select(what)
        .where(ContactPoint.participant_id == Participant.id, _RANKED)
        .order_by(*usable_first)
        .limit(1)
        .correlate(Participant)
        .scalar_subquery()
    )


def _group_names() -> ScalarSelect[str]:
    names = (
        select(func.aggregate_strings(Group.name, SEPARATOR))
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.participant_id == Participant.id)
        .correlate(Participant)
    )
    return names.scalar_subquery()


def _order(sort: PeopleSort) -> tuple[Any, ...]:
    if sort is PeopleSort.NAME_BACKWARDS:
        return (Participant.sort_name.desc(), Participant.id.desc())
    if sort is PeopleSort.NEWEST:
        return (Participant.id.desc(),)
    if sort is PeopleSort.OLDEST:
        return (Participant.id,)
    return (Participant.sort_name, Participant.id)


def _row(participant: Participant, first: ContactPoint | None, group_names: str | None, *, now: datetime) -> PersonRow:
    paused_until = participant.paused_until
    return PersonRow(
        id=participant.id,
        full_name=participant.full_name,
        known_as=participant.known_as,
        channel=first.channel if first else "",
        address=shown(first.address) if first else "",
        state=first.state if first else None,
        groups=tuple(sorted(group_names.split(SEPARATOR), key=str.casefold)) if group_names else (),
        language=participant.language,
        joined_on=participant.joined_on,
        paused_until=paused_until if paused_until and paused_until > now else None,
        left=participant.archived_at is not None,
    )
