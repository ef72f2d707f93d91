"""The rungs of people's ladders: the contact points that may be used for an announcement, in each person's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, Subquery, and_, case, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement
from hub.participants.models import ContactPoint, ContactPointState, Participant, TopicPreference

UNUSABLE = 100_000
"""Added to the rank of a rung that can't be used, so that it comes last."""

Rungs = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Slice:
    """Participants with ``after < id <= through``; ``through`` None: to the end."""

    after: int
    through: int | None

    def holds(self, participant_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """The condition that a column with participants' ids is in the slice."""
        if self.through is None:
            return participant_id > self.after
        return and_(participant_id > self.after, participant_id <= self.through)


def general_rungs(announcement: Announcement, part: Slice | None = None) -> Rungs:
    """Everybody's usable rungs in their general order: participant_id, rank, channel, contact_point_id.

    Channels without a text are no rungs. ``part``: only of these people (no database draws that conclusion from the
    participants that the rungs are joined to).
    """
    # Written exactly as the index's own condition, without parameters, so that both databases see that it applies.
    found = select(
        ContactPoint.participant_id, ContactPoint.rank, ContactPoint.channel, ContactPoint.id.label("contact_point_id")
    ).where(_usable(), ContactPoint.rank.is_not(None))
    written = _written(announcement)
    if written != set(CHANNELS):
        found = found.where(ContactPoint.channel.in_(written))
    return found if part is None else found.where(part.holds(ContactPoint.participant_id))


def own_rungs(announcement: Announcement, part: Slice | None = None) -> Rungs:
    """The rungs of people with an own order for the announcement's topic, which replaces the general one.

    Everybody who has one is there; where a rung can't be used, or they want none, contact_point_id is null.
    """
    found = (
        select(
            TopicPreference.participant_id,
            TopicPreference.rank,
            ContactPoint.channel,
            ContactPoint.id.label("contact_point_id"),
        )
        .outerjoin(
            ContactPoint,
            and_(
                ContactPoint.id == TopicPreference.contact_point_id,
                # Said once more of the contact point, so that its index can be used.
                ContactPoint.participant_id == TopicPreference.participant_id,
                _usable(),
                ContactPoint.channel.in_(_written(announcement)),
            ),
        )
        .where(TopicPreference.topic_id == announcement.topic_id)
    )
    return found if part is None else found.where(part.holds(TopicPreference.participant_id))


def rungs(announcement: Announcement) -> CompoundSelect[*tuple[Any, ...]]:
    """Every usable rung of everybody's ladder for this announcement."""
    own = own_rungs(announcement).subquery("own")
    own_order = select(TopicPreference.participant_id).where(TopicPreference.topic_id == announcement.topic_id)
    general = general_rungs(announcement).where(ContactPoint.participant_id.not_in(own_order))
    return general.union_all(select(own).where(own.c.contact_point_id.is_not(None)))


def _written(announcement: Announcement) -> set[str]:
    return {variant.channel for variant in announcement.variants if variant.body.strip()}


def _usable() -> ColumnElement[bool]:
    return ContactPoint.state == literal(ContactPointState.USABLE, ContactPoint.state.type, literal_execute=True)


def first_general(
    session: Session, announcement: Announcement, part: Slice | None
) -> tuple[Subquery, ColumnElement[bool]]:
    """The first usable rung of each person's general order, and the condition by which people are joined to it."""
    if session.get_bind().dialect.name == "postgresql":
        found = _distinct(general_rungs(announcement, part).subquery(), name="general")
        return found, found.c.participant_id == Participant.id
    # SQLite makes a table and an index of a grouped subquery. Looking for each person is faster.
    of_person = general_rungs(announcement).where(ContactPoint.participant_id == Participant.id)
    least = of_person.with_only_columns(ContactPoint.id).order_by(ContactPoint.rank).limit(1).correlate(Participant)
    point = ContactPoint.__table__.alias("point")
    columns = (point.c.participant_id, point.c.rank, point.c.channel, point.c.id.label("contact_point_id"))
    found = select(*columns).subquery("general")
    return found, found.c.contact_point_id == least.scalar_subquery()


def first_own(session: Session, announcement: Announcement, part: Slice | None) -> tuple[Subquery, ColumnElement[bool]]:
    """The same of own orders for the topic: whoever has one is there, with nulls where no rung of it is usable."""
    of = own_rungs(announcement, part).subquery()
    if session.get_bind().dialect.name == "postgresql":
        found = _distinct(of, of.c.contact_point_id.is_(None), name="own")
    else:
        # SQLite takes the bare columns from the row that holds the minimum (sqlite.org/lang_select.html, 2.5).
        least = func.min(of.c.rank + case((of.c.contact_point_id.is_(None), UNUSABLE), else_=0))
        columns = (of.c.participant_id, least.label("rank"), of.c.channel, of.c.contact_point_id)
        found = select(*columns).group_by(of.c.participant_id).subquery("own")
    return found, found.c.participant_id == Participant.id


def _distinct(of: Subquery, *before: ColumnElement[bool], name: str) -> Subquery:
    return (
        select(of.c.participant_id, of.c.rank, of.c.channel, of.c.contact_point_id)
        .ext(postgresql.distinct_on(of.c.participant_id))
        .order_by(of.c.participant_id, *before, of.c.rank)
        .subquery(name)
    )
