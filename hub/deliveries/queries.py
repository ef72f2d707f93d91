"""The account of an announcement, and the people behind every number of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS, Handover
from hub.announcements.models import Announcement
from hub.deliveries.models import ChannelStop, Delivery, ReachTally
from hub.deliveries.planning import PLANNED_FURTHER
from hub.deliveries.rules import REACH, DeliveryState, Reach, Why
from hub.deliveries.tallies import tallies
from hub.errors import NotFound
from hub.paging import Page
from hub.participants.models import ContactPoint, Participant

CALLED = [entry.name for entry in CHANNELS.values() if entry.handover is Handover.ON_LIST]
POSTED = [entry.name for entry in CHANNELS.values() if entry.handover is Handover.POSTED]


@dataclass(frozen=True, slots=True)
class ReachAccount:
    """Everybody in the audience, each in exactly one place: ``places`` adds up to ``audience``."""

    audience: int
    places: dict[Reach, int]
    planning: bool
    """People are still being added; the account is of those planned so far."""
    closed: bool

    @property
    def adds_up(self) -> bool:
        """Whether everybody is accounted for."""
        return sum(self.places.values()) == self.audience

    @property
    def settled(self) -> bool:
        """Nothing is on its way any more; calls may still be waiting for a volunteer."""
        return not self.planning and self.places[Reach.ON_ITS_WAY] == 0


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """Attempts on one channel: ``planned`` in all, of which so many were ``sent``, ``delivered`` and ``failed``."""

    channel: str
    planned: int
    sent: int
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many people are in a place for the same reason."""

    place: Reach
    state: DeliveryState
    why: Why
    channel: str
    people: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One attempt, with whom it is for."""

    delivery_id: int
    announcement_id: int
    title: str
    participant_id: int
    full_name: str
    channel: str
    address: str
    rung: int
    state: DeliveryState
    why: Why
    code: str | None
    place: Reach
    live: bool
    due_at: datetime | None
    state_at: datetime


def place_of(state: DeliveryState, channel: str) -> Reach:
    """Where a live delivery's person stands: a call that is planned waits for a caller like one on a list."""
    if state is DeliveryState.PLANNED and channel in CALLED:
        return Reach.WAITING_FOR_CALL
    return REACH[state]


def in_place(place: Reach) -> ColumnElement[bool]:
    """The deliveries of a place, as a condition: the same rule as :func:`place_of`."""
    states = [state for state, found in REACH.items() if found is place]
    planned_calls = and_(Delivery.state == DeliveryState.PLANNED, Delivery.channel.in_(CALLED))
    if place is Reach.WAITING_FOR_CALL:
        return or_(Delivery.state.in_(states), planned_calls)
    return and_(Delivery.state.in_(states), not_(planned_calls))


def reach(session: Session, announcement_id: int) -> ReachAccount:
    """The account of an announcement, at this moment."""
    announcement = _announcement(session, announcement_id)
    places = dict.fromkeys(Reach, 0)
    audience = 0
    for each in tallies(session, [announcement_id]):
        if each.live:
            places[place_of(each.state, each.channel)] += each.people
            audience += each.people
    return ReachAccount(
        audience=audience,
        places=places,
        planning=announcement.state in PLANNED_FURTHER and announcement.planned_at is None,
        closed=announcement.closed_at is not None,
    )


def reasons(session: Session, announcement_id: int) -> list[ReasonCount]:
    """How many people are where in the account and why, largest first."""
    counts: Counter[tuple[DeliveryState, Why, str]] = Counter()
    for each in tallies(session, [announcement_id]):
        if each.live:
            counts[each.state, each.why, each.channel] += each.people
    return [
        ReasonCount(place_of(state, channel), state, why, channel, people)
        for (state, why, channel), people in counts.most_common()
    ]


def reach_by_channel(session: Session, announcement_id: int) -> list[ChannelReach]:
    """How far an announcement has got, one row per channel that it uses. Counts attempts, not people."""
    s = DeliveryState
    counts: dict[str, Counter[str]] = {}
    for each in tallies(session, [announcement_id]):
        count = counts.setdefault(each.channel, Counter())
        count["planned"] += each.people
        if each.handed_over or each.state in {s.SENT, s.ON_LIST, s.POSTED, s.DELIVERED, s.CONFIRMED}:
            count["sent"] += each.people
        if each.live and each.state in {s.DELIVERED, s.CONFIRMED}:
            count["delivered"] += each.people
        failed = not each.live or each.state in {s.FAILED, s.UNREACHABLE}
        if failed and each.state not in {s.DECLINED, s.CANCELLED, s.EXPIRED}:
            count["failed"] += each.people
    return [
        ChannelReach(name, *(counts[name][what] for what in ("planned", "sent", "delivered", "failed")))
        for name in CHANNELS
        if name in counts
    ]


def people_in(
    session: Session,
    announcement_id: int,
    *,
    place: Reach | None = None,
    channel: str | None = None,
    state: DeliveryState | None = None,
    why: Why | None = None,
    search: str = "",
    page: int = 1,
    per_page: int = 50,
) -> Page[DeliveryRow]:
    """The people behind a number of the account, by name: live deliveries that fit everything that is given."""
    _announcement(session, announcement_id)
    conditions = [Delivery.announcement_id == announcement_id, Delivery.live]
    if place is not None:
        conditions.append(in_place(place))
    if channel is not None:
        conditions.append(Delivery.channel == channel)
    if state is not None:
        conditions.append(Delivery.state == state)
    if why is not None:
        conditions.append(Delivery.why == why)
    if search.strip():
        conditions.append(Participant.search_text.contains(search.strip().casefold(), autoescape=True))
    total = session.scalar(
        select(func.count())
        .select_from(Delivery)
        .join(Participant, Participant.id == Delivery.participant_id)
        .where(*conditions)
    )
    found = _rows().where(*conditions).order_by(Participant.sort_name, Participant.id)
    items = _read(session, found.limit(per_page).offset((page - 1) * per_page))
    return Page(items=list(items), page=page, per_page=per_page, total=total or 0)


def deliveries_of(session: Session, participant_id: int, limit: int = 50) -> list[DeliveryRow]:
    """What the hub has tried to send to a person, newest first, every attempt."""
    found = _rows().where(Delivery.participant_id == participant_id).order_by(Delivery.id.desc()).limit(limit)
    return list(_read(session, found))


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(Delivery, Announcement.title, Participant, ContactPoint.address)
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
    )


def _read(session: Session, found: Select[*tuple[Any, ...]]) -> Iterator[DeliveryRow]:
    for delivery, title, person, address in session.execute(found):
        yield DeliveryRow(
            delivery_id=delivery.id,
            announcement_id=delivery.announcement_id,
            title=title,
            participant_id=person.id,
            full_name=person.full_name,
            channel=delivery.channel,
            address=address or "",
            rung=delivery.rung,
            state=delivery.state,
            why=delivery.why,
            code=delivery.code,
            place=place_of(delivery.state, delivery.channel),
            live=delivery.live,
            due_at=delivery.due_at,
            state_at=delivery.state_at,
        )


def stopped_channels(session: Session) -> list[ChannelStop]:
    """Channels that send nothing until somebody changes a setting."""
    return list(session.scalars(select(ChannelStop).order_by(ChannelStop.stopped_at)))


def uncertain(session: Session, announcement_id: int | None = None) -> int:
    """How many deliveries may or may not have been taken by a provider, and are being settled."""
    conditions = [ReachTally.live, ReachTally.state == DeliveryState.UNCERTAIN]
    if announcement_id is not None:
        conditions.append(ReachTally.announcement_id == announcement_id)
    return session.scalar(select(func.sum(ReachTally.people)).where(*conditions)) or 0


def _announcement(session: Session, announcement_id: int) -> Announcement:
    announcement = session.get(Announcement, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    return announcement
