"""Everything about one person, as their page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.accounts.tables import accounts
from hub.participants.addresses import shown
from hub.participants.errors import NobodyThere
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointKind,
    ContactPointState,
    Group,
    Membership,
    Participant,
    Topic,
    TopicPreference,
)
from hub.participants.service import ParticipantDetails, details_of


@dataclass(frozen=True, slots=True)
class PointRow:
    """A contact point. ``shown`` is the address as people read it; ``shared_with`` names who else has it."""

    id: int
    channel: str
    address: str
    shown: str
    kind: ContactPointKind
    label: str
    rank: int | None
    state: ContactPointState
    state_reason: str
    state_at: datetime | None
    shared_with: tuple[tuple[int, str], ...]
    """(participant id, full name) of each."""


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """What a person chose for a topic: no messages, an order of contact points, or (neither) the general order."""

    topic_id: int
    topic: str
    declined: bool
    contact_point_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EventRow:
    """A consent event. ``recorded_by`` is the organiser's name or address; empty where nobody was needed."""

    kind: ConsentKind
    channel: str
    topic: str
    source: ConsentSource
    wording: str
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about one person. Points are in the general order, those that were not agreed to at the end."""

    id: int
    name: str
    full_name: str
    details: ParticipantDetails
    points: Sequence[PointRow]
    topics: Sequence[TopicChoice]
    events: Sequence[EventRow]
    """Newest first."""
    groups: Sequence[tuple[int, str]]
    """(group id, name) of each, by name."""
    paused_until: datetime | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    @property
    def no_way(self) -> bool:
        """Nothing usable that the person agreed to."""
        return not any(point.rank and point.state is ContactPointState.USABLE for point in self.points)


def person(session: Session, participant_id: int) -> Person:
    """Everything about one person. Raises :class:`NobodyThere`."""
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NobodyThere("This person is not here any more.")
    return Person(
        id=participant.id,
        name=participant.name,
        full_name=participant.full_name,
        details=details_of(participant),
        points=_points(session, participant_id),
        topics=_topics(session, participant_id),
        events=_events(session, participant_id),
        groups=_groups(session, participant_id),
        paused_until=participant.paused_until,
        created_at=participant.created_at,
        updated_at=participant.updated_at,
        archived_at=participant.archived_at,
    )


def _points(session: Session, participant_id: int) -> list[PointRow]:
    points = session.scalars(
        select(ContactPoint)
        .where(ContactPoint.participant_id == participant_id)
        .order_by(ContactPoint.rank.is_(None), ContactPoint.rank, ContactPoint.id)
    ).all()
    others = session.execute(
        select(ContactPoint.channel, ContactPoint.address, Participant)
        .join(Participant, Participant.id == ContactPoint.participant_id)
        .where(
            ContactPoint.address.in_([point.address for point in points]),
            ContactPoint.participant_id != participant_id,
        )
        .order_by(Participant.sort_name, Participant.id)
    )
    shared: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for channel, address, other in others:
        shared.setdefault((channel, address), []).append((other.id, other.full_name))
    return [
        PointRow(
            id=point.id,
            channel=point.channel,
            address=point.address,
            shown=shown(point.address),
            kind=point.kind,
            label=point.label,
            rank=point.rank,
            state=point.state,
            state_reason=point.state_reason,
            state_at=point.state_at,
            shared_with=tuple(shared.get((point.channel, point.address), [])),
        )
        for point in points
    ]


def _topics(session: Session, participant_id: int) -> list[TopicChoice]:
    rows = session.execute(
        select(TopicPreference.topic_id, TopicPreference.rank, TopicPreference.contact_point_id)
        .where(TopicPreference.participant_id == participant_id)
        .order_by(TopicPreference.topic_id, TopicPreference.rank)
    )
    declined: set[int] = set()
    orders: dict[int, list[int]] = {}
    for topic_id, _, contact_point_id in rows:
        if contact_point_id is None:
            declined.add(topic_id)
        else:
            orders.setdefault(topic_id, []).append(contact_point_id)
    return [
        TopicChoice(topic.id, topic.name, topic.id in declined, tuple(orders.get(topic.id, [])))
        for topic in session.scalars(select(Topic).order_by(Topic.id))
    ]


def _events(session: Session, participant_id: int) -> list[EventRow]:
    rows = session.execute(
        select(ConsentEvent, Topic.name, accounts.c.name, accounts.c.email)
        .outerjoin(Topic, Topic.id == ConsentEvent.topic_id)
        .outerjoin(accounts, accounts.c.id == ConsentEvent.recorded_by)
        .where(ConsentEvent.participant_id == participant_id)
        .order_by(ConsentEvent.happened_at.desc(), ConsentEvent.id.desc())
    )
    return [
        EventRow(
            kind=event.kind,
            channel=event.channel,
            topic=topic or "",
            source=event.source,
            wording=event.wording,
            happened_at=event.happened_at,
            recorded_at=event.recorded_at,
            recorded_by=account_name or account_email or "",
        )
        for event, topic, account_name, account_email in rows
    ]


def _groups(session: Session, participant_id: int) -> list[tuple[int, str]]:
    rows = session.execute(
        select(Group.id, Group.name)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.participant_id == participant_id)
    )
    return sorted(((row.id, row.name) for row in rows), key=lambda group: group[1].casefold())
