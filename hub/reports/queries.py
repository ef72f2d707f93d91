"""What needs somebody's attention, across the whole hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, exists, func, select
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.conversations.models import Reply, ReplyKind
from hub.deliveries.models import Delivery, UncertainDelivery
from hub.deliveries.queries import in_place, place_of
from hub.deliveries.rules import DeliveryState, Reach
from hub.participants.models import ContactPoint, ContactPointState, Participant

MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Attention:
    """The numbers of the home page."""

    people: int
    without_a_way: int
    bad_contact_points: int
    replies: int
    calls: int
    uncertain: int
    drafts: int
    announcements: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """One announcement that has been launched, with its reach account so far."""

    announcement_id: int
    title: str
    state: AnnouncementState
    urgent: bool
    launched_at: datetime | None
    planning: bool
    places: dict[Reach, int]
    uncertain: int
    to_decide: int
    """Of the uncertain ones, how many nobody but an organiser can settle."""
    at_its_limit: bool
    """Paused, because its texts would cost more than they may."""

    @property
    def audience(self) -> int:
        """Everybody it was meant for, as far as planned."""
        return sum(self.places.values())


@dataclass(frozen=True, slots=True)
class Undecided:
    """An announcement with messages of which nobody could find out whether they were sent."""

    announcement_id: int
    title: str
    messages: int


def attention(session: Session) -> Attention:
    """Everything that is counted on the home page, in one statement."""
    here = Participant.archived_at.is_(None)
    can_be_reached = exists().where(
        ContactPoint.participant_id == Participant.id,
        ContactPoint.state == ContactPointState.USABLE,
        ContactPoint.rank.is_not(None),
    )
    has_a_bad_one = exists().where(
        ContactPoint.participant_id == Participant.id, ContactPoint.state == ContactPointState.BAD
    )
    row = session.execute(
        select(
            _count(Participant, here),
            _count(Participant, here, ~can_be_reached),
            _count(Participant, here, has_a_bad_one),
            _count(Reply, Reply.read_at.is_(None), Reply.kind == ReplyKind.MESSAGE),
            _count(Delivery, Delivery.live, in_place(Reach.WAITING_FOR_CALL)),
            _count(Delivery, Delivery.live, Delivery.state == DeliveryState.UNCERTAIN),
            _count(Announcement, Announcement.state == AnnouncementState.DRAFT),
            _count(Announcement),
        )
    ).one()
    return Attention(*row)


def under_way(session: Session) -> list[UnderWay]:
    """The announcements that are being sent or are paused, newest first; where there is none, the last one closed."""
    running = [AnnouncementState.UNDER_WAY, AnnouncementState.PAUSED]
    launched = select(Announcement).where(Announcement.launched_at.is_not(None))
    latest = launched.order_by(Announcement.launched_at.desc())
    found = list(session.scalars(latest.where(Announcement.state.in_(running)).limit(MOST_SHOWN)))
    found = found or list(session.scalars(latest.limit(1)))
    places = {item.id: dict.fromkeys(Reach, 0) for item in found}
    uncertain = dict.fromkeys(places, 0)
    for announcement_id, state, channel, number in session.execute(
        select(Delivery.announcement_id, Delivery.state, Delivery.channel, func.count())
        .where(Delivery.live, Delivery.announcement_id.in_(places))
        .group_by(Delivery.announcement_id, Delivery.state, Delivery.channel)
    ):
        places[announcement_id][place_of(state, channel)] += number
        uncertain[announcement_id] += number if state is DeliveryState.UNCERTAIN else 0
    to_decide = {each.announcement_id: each.messages for each in undecided(session)}
    return [
        UnderWay(
            announcement_id=item.id,
            title=item.title,
            state=item.state,
            urgent=item.urgent,
            launched_at=item.launched_at,
            planning=item.planned_at is None and item.state is AnnouncementState.UNDER_WAY,
            places=places[item.id],
            uncertain=uncertain[item.id],
            to_decide=to_decide.get(item.id, 0),
            at_its_limit=item.state is AnnouncementState.PAUSED and item.paused_because is PausedBecause.BUDGET,
        )
        for item in found
    ]


def undecided(session: Session) -> list[Undecided]:
    """The announcements with uncertain messages that wait for an organiser's decision, oldest first."""
    found = session.execute(
        select(Announcement.id, Announcement.title, func.count())
        .join(Delivery, Delivery.announcement_id == Announcement.id)
        .join(UncertainDelivery, UncertainDelivery.delivery_id == Delivery.id)
        .where(UncertainDelivery.for_a_person, Delivery.live, Delivery.state == DeliveryState.UNCERTAIN)
        .group_by(Announcement.id, Announcement.title)
        .order_by(Announcement.id)
    )
    return [Undecided(*row) for row in found]


def _count(what: type[Participant | Reply | Delivery | Announcement], *conditions: object) -> ScalarSelect[int]:
    return select(func.count()).select_from(what).where(*conditions).scalar_subquery()  # type: ignore[arg-type]  # any column expression
