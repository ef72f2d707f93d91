"""What the sending job needs of the database: lease a batch, start deliveries, record what became of them.

How a crash is survived: see hub.deliveries.models.Batch. No function here talks to a provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries.models import Batch, BatchState, ChannelStop, Delivery
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.participants.models import ContactPoint, ContactPointState, NeededFormat, Participant, TopicPreference

LEASE = timedelta(seconds=90)
"""How long a worker may hold a batch without starting or recording anything before it is thought to be dead."""


@dataclass(slots=True)
class LeasedBatch:
    """A batch that this worker holds, and how far it has got."""

    id: int
    announcement_id: int
    channel: str
    first_delivery_id: int
    last_delivery_id: int
    due_at: datetime | None
    started_through: int
    failures: int
    lease: str
    started_before: int = field(init=False)
    """What the batch had been started through when it was leased."""

    def __post_init__(self) -> None:
        self.started_before = max(self.started_through, self.first_delivery_id - 1)

    @property
    def used_up(self) -> bool:
        """Whether everything that it covers has been started."""
        return self.started_through >= self.last_delivery_id


@dataclass(frozen=True, slots=True)
class Start:
    """A delivery that may be sent now, with what a message needs of its person."""

    delivery_id: int
    participant_id: int
    contact_point_id: int
    address: str
    first_name: str
    last_name: str
    known_as: str
    language: str
    formats: str
    """The formats that the person needs, with commas between; empty: standard."""


def has_work(session: Session, channel: str, now: datetime) -> bool:
    """Whether a batch of this channel could be leased."""
    return session.scalar(_waiting(channel, now).limit(1)) is not None


def _waiting(channel: str, now: datetime) -> Any:
    stopped = select(ChannelStop.channel).where(ChannelStop.channel == channel)
    return (
        select(Batch.id)
        .join(Announcement, Announcement.id == Batch.announcement_id)
        .where(
            Batch.channel == channel,
            Batch.state == literal(BatchState.WAITING, Batch.state.type, literal_execute=True),
            or_(Batch.due_at.is_(None), Batch.due_at <= now),
            or_(Batch.held_until.is_(None), Batch.held_until <= now),
            Announcement.state == AnnouncementState.UNDER_WAY,
            ~stopped.exists(),
        )
        .order_by(Batch.priority, Batch.id)
    )


def lease_batch(session: Session, channel: str, lease: str, now: datetime) -> LeasedBatch | None:
    """Take the most urgent waiting batch of a channel. None: there is nothing to send now."""
    chosen = _waiting(channel, now).limit(1).with_for_update(of=Batch, skip_locked=True)
    row = session.execute(
        update(Batch)
        .where(Batch.id == chosen.scalar_subquery())
        .values(state=BatchState.LEASED, lease=lease, held_until=now + LEASE)
        .returning(
            Batch.id,
            Batch.announcement_id,
            Batch.channel,
            Batch.first_delivery_id,
            Batch.last_delivery_id,
            Batch.due_at,
            Batch.started_through,
            Batch.failures,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if row is None else LeasedBatch(**row._mapping, lease=lease)


def covered_by(batch: Any) -> ColumnElement[bool]:
    """The deliveries that a batch (a row of batches, or a :class:`LeasedBatch`) is there for."""
    return and_(
        Delivery.id >= batch.first_delivery_id,
        Delivery.id <= batch.last_delivery_id,
        Delivery.announcement_id == batch.announcement_id,
        Delivery.channel == batch.channel,
        Delivery.due_at.is_not_distinct_from(batch.due_at),
    )


def start(session: Session, batch: LeasedBatch, count: int, now: datetime) -> list[Start] | None:
    """Start the next ``count`` deliveries of a batch: after the commit they count as handed to the provider's client.

    The statement that takes the rows looks at everybody's wishes as they are now: a person who opted out, paused or
    lost the contact point since planning is not in the answer, and their delivery is ended here. The answer is empty
    when the batch is used up, and None when this worker holds it no longer, or the announcement is not under way.
    """
    # Who cancels holds the batch until that is committed (hub.deliveries.service.cancel), so wait and then look.
    session.execute(select(Batch.id).where(Batch.id == batch.id).with_for_update())
    taken = session.execute(_next(batch, now).limit(count)).all()
    through = taken[-1].delivery_id if len(taken) == count else batch.last_delivery_id
    still_ours = session.execute(
        update(Batch)
        .where(
            Batch.id == batch.id,
            Batch.lease == batch.lease,
            select(Announcement.id)
            .where(Announcement.id == batch.announcement_id, Announcement.state == AnnouncementState.UNDER_WAY)
            .exists(),
        )
        .values(started_through=through, held_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", still_ours).rowcount == 0:
        return None
    batch.started_through = through
    record(session, [_ended(row) for row in taken if row.verdict], now)
    return [Start(*row[:-1]) for row in taken if not row.verdict]


def _next(batch: LeasedBatch, now: datetime) -> Any:
    formats = (
        select(func.aggregate_strings(NeededFormat.format, ","))
        .where(NeededFormat.participant_id == Participant.id)
        .scalar_subquery()
    )
    declined_topic = exists().where(
        TopicPreference.participant_id == Participant.id,
        TopicPreference.topic_id == Announcement.topic_id,
        TopicPreference.contact_point_id.is_(None),
    )
    verdict = case(
        (Announcement.useful_until <= now, Why.NOT_USEFUL_ANY_MORE.value),
        (or_(Participant.archived_at.is_not(None), Participant.paused_until > now), Why.PAUSED.value),
        (declined_topic, Why.TOPIC_DECLINED.value),
        (ContactPoint.state == ContactPointState.OPTED_OUT, Why.OPTED_OUT.value),
        (ContactPoint.state == ContactPointState.BAD, Why.CONTACT_POINT_IS_BAD.value),
        (or_(ContactPoint.id.is_(None), ContactPoint.rank.is_(None)), Why.NOT_AGREED.value),
        else_="",
    )
    return (
        select(
            Delivery.id.label("delivery_id"),
            Participant.id,
            func.coalesce(ContactPoint.id, 0),
            func.coalesce(ContactPoint.address, ""),
            Participant.first_name,
            Participant.last_name,
            Participant.known_as,
            Participant.language,
            func.coalesce(formats, ""),
            verdict.label("verdict"),
        )
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .where(
            covered_by(batch),
            Delivery.id > batch.started_through,
            Delivery.state == DeliveryState.PLANNED,
        )
        .order_by(Delivery.id)
    )


def _ended(row: Any) -> Result:
    ends = {
        Why.PAUSED: DeliveryState.DECLINED,
        Why.TOPIC_DECLINED: DeliveryState.DECLINED,
        Why.NOT_USEFUL_ANY_MORE: DeliveryState.EXPIRED,
    }
    why = Why(row.verdict)
    return Result(row.delivery_id, ends.get(why, DeliveryState.FAILED), why)


def finish(session: Session, batch: LeasedBatch) -> None:
    """A batch of this worker's has nothing left to start or record. Does nothing if the lease was lost."""
    session.execute(
        update(Batch)
        .where(Batch.id == batch.id, Batch.lease == batch.lease)
        .values(state=BatchState.DONE, lease=None, held_until=None)
        .execution_options(synchronize_session=False)
    )


def give_back(session: Session, batch: LeasedBatch, *, hold_until: datetime | None = None) -> int:
    """Let a later job go on with a batch. Everything that was started has been recorded, or was not taken.

    Deliveries that still say “planned” are sent then, from the first one on. ``hold_until``: not before that moment,
    which counts as one more failure in a row, or as the first if some were sent this time. Returns how many there have
    been; 0 if the lease was lost.
    """
    first_unsent = (
        select(func.min(Delivery.id))
        .where(covered_by(batch), Delivery.state == DeliveryState.PLANNED)
        .scalar_subquery()
    )
    made_progress = first_unsent - 1 > batch.started_before
    row = session.execute(
        update(Batch)
        .where(Batch.id == batch.id, Batch.lease == batch.lease)
        .values(
            state=BatchState.WAITING,
            lease=None,
            held_until=hold_until,
            started_through=func.coalesce(first_unsent - 1, batch.last_delivery_id),
            failures=case((made_progress, 0), else_=Batch.failures) + (1 if hold_until else 0),
        )
        .returning(Batch.failures)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return 0 if row is None else int(row.failures)
