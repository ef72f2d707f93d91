"""Deliveries that a provider may or may not have taken: asked about, settled, or put before an organiser.

A receipt settles a delivery at any time (hub.deliveries.receipts). What is here is for those that none comes for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, CursorResult, Select, delete, exists, func, select, update
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement
from hub.deliveries.models import Batch, BatchState, Delivery, UncertainDelivery
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.sending import Start
from hub.deliveries.starting import recipients
from hub.participants.models import ContactPoint, Participant

ASKED_AT_ONCE = 64
"""As many requests at a time as when sending, which providers are known to bear."""

ASKED_ABOUT = (DeliveryState.UNCERTAIN, DeliveryState.SENT)
"""What providers are asked about: whether they took it, or what became of it since (hub.deliveries.settling)."""


@dataclass(frozen=True, slots=True)
class Question:
    """An uncertain delivery, whom it was for, and since when its provider may have taken it."""

    announcement_id: int
    start: Start
    since: datetime
    uncertain_since: datetime
    provider_id: str | None
    """None: it is not known whether the provider took it. Otherwise it did, and has not said what became of it."""


@dataclass(frozen=True, slots=True)
class UncertainPerson:
    """Somebody of whom an organiser has to say whether their message is sent again."""

    delivery_id: int
    announcement_id: int
    title: str
    participant_id: int
    full_name: str
    channel: str
    address: str
    since: datetime


# --- Asking the provider --------------------------------------------------------------------------------------


def is_due(session: Session, channel: str, now: datetime) -> bool:
    """Whether there is something to ask a channel's provider."""
    return session.scalar(to_ask_about(channel, now).limit(1)) is not None


def questions(session: Session, channel: str, now: datetime) -> list[Question]:
    """What to ask a channel's provider now. Each is due again soon, for when it can't be asked."""
    rows = session.scalars(
        to_ask_about(channel, now)
        .order_by(UncertainDelivery.ask_at)
        .limit(ASKED_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.ask_at = now + timedelta(seconds=settings().ask_after_seconds)
    open_ones = session.execute(
        select(
            Delivery.id,
            Delivery.announcement_id,
            Announcement.launched_at,
            UncertainDelivery.since,
            Delivery.provider_id,
        )
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(UncertainDelivery, UncertainDelivery.delivery_id == Delivery.id)
        .where(Delivery.id.in_([row.delivery_id for row in rows]), Delivery.state.in_(ASKED_ABOUT))
    ).all()
    starts = {start.delivery_id: start for start in recipients(session, [row.id for row in open_ones])}
    return [
        Question(row.announcement_id, starts[row.id], row.launched_at or now, row.since, row.provider_id)
        for row in open_ones
        if row.id in starts
    ]


def asked(session: Session, question: Question, now: datetime) -> None:
    """A provider has been asked. Unless that has settled it, it is asked again, after longer and longer."""
    session.execute(
        update(UncertainDelivery)
        .where(UncertainDelivery.delivery_id == question.start.delivery_id)
        .values(ask_at=now + max(now - question.uncertain_since, timedelta(seconds=settings().ask_after_seconds)))
        .execution_options(synchronize_session=False)
    )


def cannot_be_asked(session: Session, channel: str, now: datetime) -> None:
    """A channel's provider has nobody to ask: its reports, or an organiser, settle what is uncertain."""
    session.execute(
        update(UncertainDelivery)
        .where(UncertainDelivery.channel == channel, UncertainDelivery.ask_at <= now)
        .values(ask_at=now + timedelta(minutes=settings().settle_minutes))
        .execution_options(synchronize_session=False)
    )


def provider_ids_of_others(
    session: Session, address: str, delivery_id: int, provider_ids: Sequence[str]
) -> frozenset[str]:
    """Which of a provider's ids belong to other deliveries to the people who have this address."""
    people = select(ContactPoint.participant_id).where(ContactPoint.address == address)
    found = session.scalars(
        select(Delivery.provider_id).where(
            Delivery.participant_id.in_(people),
            Delivery.provider_id.in_(provider_ids),
            Delivery.id != delivery_id,
        )
    )
    return frozenset(key for key in found if key)


def others_may_be_meant(session: Session, question: Question) -> bool:
    """Whether a message that the provider has for this address may be another delivery's that is not recorded yet."""
    people = select(ContactPoint.participant_id).where(ContactPoint.address == question.start.address)
    started = exists().where(
        Batch.announcement_id == Delivery.announcement_id,
        Batch.channel == Delivery.channel,
        Batch.state != BatchState.DONE,
        Batch.first_delivery_id <= Delivery.id,
        Batch.started_through >= Delivery.id,
    )
    other = select(Delivery.id).where(
        Delivery.participant_id.in_(people), Delivery.state == DeliveryState.PLANNED, started
    )
    return session.scalar(other.limit(1)) is not None


def to_ask_about(channel: str, now: datetime | BindParameter[datetime]) -> Select[UncertainDelivery]:
    """What a channel's provider is to be asked about."""
    return select(UncertainDelivery).where(
        UncertainDelivery.channel == channel,
        UncertainDelivery.ask_at <= now,
        UncertainDelivery.for_a_person.is_(False),
    )


# --- What becomes of them -------------------------------------------------------------------------------------


def put_before_organisers(session: Session, now: datetime) -> int:
    """Forget what is settled, and let organisers decide what nobody has been able to settle in time.

    Returns how many rows were changed.
    """
    still = select(Delivery.id).where(Delivery.id == UncertainDelivery.delivery_id, Delivery.state.in_(ASKED_ABOUT))
    settled = session.execute(
        delete(UncertainDelivery).where(~still.exists()).execution_options(synchronize_session=False)
    )
    too_long = now - timedelta(minutes=settings().settle_minutes)
    waiting = session.execute(
        update(UncertainDelivery)
        .where(
            UncertainDelivery.since <= too_long,
            UncertainDelivery.for_a_person.is_(False),
            UncertainDelivery.delivery_id.in_(select(Delivery.id).where(Delivery.state == DeliveryState.UNCERTAIN)),
        )
        .values(for_a_person=True)
        .execution_options(synchronize_session=False)
    )
    return sum(changed.rowcount for changed in (settled, waiting) if isinstance(changed, CursorResult))


def waiting_for_a_person(
    session: Session, announcement_id: int | None = None, limit: int = 200
) -> list[UncertainPerson]:
    """Live deliveries that nobody but an organiser can settle, oldest first."""
    found = (
        _for_a_person(announcement_id)
        .with_only_columns(Delivery, Announcement.title, Participant, ContactPoint.address, UncertainDelivery.since)
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .order_by(UncertainDelivery.since, Delivery.id)
        .limit(limit)
    )
    return [
        UncertainPerson(
            delivery.id,
            delivery.announcement_id,
            title,
            person.id,
            person.full_name,
            delivery.channel,
            address or "",
            since,
        )
        for delivery, title, person, address, since in session.execute(found)
    ]


def count_waiting_for_a_person(session: Session, announcement_id: int | None = None) -> int:
    """How many deliveries wait for an organiser's decision."""
    return session.scalar(_for_a_person(announcement_id).with_only_columns(func.count())) or 0


def send_again(session: Session, announcement_id: int, delivery_ids: Sequence[int] | None, now: datetime) -> int:
    """An organiser would rather have some people get it twice than not at all. None: all. Returns how many."""
    return _decide(session, announcement_id, delivery_ids, DeliveryState.FAILED, Why.NOT_SENT, now)


def leave(session: Session, announcement_id: int, delivery_ids: Sequence[int] | None, now: datetime) -> int:
    """An organiser would rather have some people not get it than twice: they count as not reached. None: all."""
    return _decide(session, announcement_id, delivery_ids, DeliveryState.UNREACHABLE, Why.MAYBE_SENT, now)


def _decide(
    session: Session,
    announcement_id: int,
    delivery_ids: Sequence[int] | None,
    state: DeliveryState,
    why: Why,
    now: datetime,
) -> int:
    chosen = _for_a_person(announcement_id).with_only_columns(Delivery.id)
    if delivery_ids is not None:
        chosen = chosen.where(Delivery.id.in_(delivery_ids))
    ids = session.scalars(chosen).all()
    record(session, [Result(key, state, why) for key in ids], now)
    session.execute(
        delete(UncertainDelivery)
        .where(UncertainDelivery.delivery_id.in_(ids))
        .execution_options(synchronize_session=False)
    )
    return len(ids)


def _for_a_person(announcement_id: int | None) -> Select[UncertainDelivery]:
    return (
        select(UncertainDelivery)
        .join(Delivery, Delivery.id == UncertainDelivery.delivery_id)
        .where(
            UncertainDelivery.for_a_person,
            Delivery.live,
            Delivery.state == DeliveryState.UNCERTAIN,
            *([] if announcement_id is None else [Delivery.announcement_id == announcement_id]),
        )
    )
