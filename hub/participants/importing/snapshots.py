"""People of the hub as they are before an import, for all of those whom a file is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.participants.importing.records import Key
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointKind,
    ContactPointState,
    Format,
    Membership,
    NeededFormat,
    Participant,
    Topic,
    TopicPreference,
)

AT_ONCE = 5_000
"""People in one statement."""


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A contact point as it is in the hub."""

    id: int
    kind: ContactPointKind
    label: str
    rank: int | None
    state: ContactPointState


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """What an import needs to know of a consent event in order not to add it twice."""

    kind: ConsentKind
    source: ConsentSource
    channel: str
    wording: str


@dataclass(slots=True)
class Snapshot:
    """A person as they are in the hub; empty for somebody new. Points are in the order in which they were added."""

    values: dict[str, Any] = field(default_factory=dict)
    points: dict[Key, KnownPoint] = field(default_factory=dict)
    formats: set[Format] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)
    """Names of the topics that they chose something for."""
    events: set[KnownEvent] = field(default_factory=set)

    @property
    def is_new(self) -> bool:
        """Not in the hub yet."""
        return not self.values

    @property
    def order(self) -> tuple[Key, ...]:
        """The contact points that are tried, the first one first."""
        ranked = [(point.rank, point.id, key) for key, point in self.points.items() if point.rank is not None]
        return tuple(key for _, _, key in sorted(ranked))

    def chose(self, *, elsewhere: bool) -> bool:
        """Whether they have chosen an order: at all, or ``elsewhere`` than in a file."""
        return any(
            event.kind is ConsentKind.CHOSE and not (elsewhere and event.source is ConsentSource.IMPORT)
            for event in self.events
        )


def load_snapshots(session: Session, participant_ids: Sequence[int]) -> dict[int, Snapshot]:
    """The people with these ids, in a handful of statements however many they are."""
    people: dict[int, Snapshot] = {}
    for start in range(0, len(participant_ids), AT_ONCE):
        part = participant_ids[start : start + AT_ONCE]
        table = Participant.__table__
        for row in session.execute(select(table).where(table.c.id.in_(part))).mappings():
            people[row["id"]] = Snapshot(dict(row))
        _load_points(session, part, people)
        for needed in session.execute(
            select(NeededFormat.participant_id, NeededFormat.format).where(NeededFormat.participant_id.in_(part))
        ):
            people[needed.participant_id].formats.add(needed.format)
        for membership in session.execute(
            select(Membership.participant_id, Membership.group_id).where(Membership.participant_id.in_(part))
        ):
            people[membership.participant_id].groups.add(membership.group_id)
        for chosen in session.execute(
            select(TopicPreference.participant_id, Topic.name)
            .join(Topic, Topic.id == TopicPreference.topic_id)
            .where(TopicPreference.participant_id.in_(part))
        ):
            people[chosen.participant_id].topics.add(chosen.name)
        _load_events(session, part, people)
    return people


def _load_points(session: Session, part: Sequence[int], people: dict[int, Snapshot]) -> None:
    points = session.execute(
        select(
            ContactPoint.participant_id,
            ContactPoint.channel,
            ContactPoint.address,
            ContactPoint.id,
            ContactPoint.kind,
            ContactPoint.label,
            ContactPoint.rank,
            ContactPoint.state,
        )
        .where(ContactPoint.participant_id.in_(part))
        .order_by(ContactPoint.id)
    )
    for row in points:
        people[row.participant_id].points[(row.channel, row.address)] = KnownPoint(*row[3:])


def _load_events(session: Session, part: Sequence[int], people: dict[int, Snapshot]) -> None:
    events = session.execute(
        select(
            ConsentEvent.participant_id,
            ConsentEvent.kind,
            ConsentEvent.source,
            ConsentEvent.channel,
            ConsentEvent.wording,
        ).where(ConsentEvent.participant_id.in_(part), ConsentEvent.topic_id.is_(None))
    )
    for row in events:
        people[row.participant_id].events.add(KnownEvent(*row[1:]))
