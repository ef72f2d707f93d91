"""What the sending job needs of the database: lease a batch, start deliveries, record what became of them.

How a crash is survived: see hub.deliveries.models.Batch. No function here talks to a provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries.models import Batch, BatchState, ChannelStop, Delivery
from hub.deliveries.rules import DeliveryState


def lease_time() -> timedelta:
    """How long a worker may hold a batch without starting or recording anything before it is thought to be dead."""
    return timedelta(seconds=settings().lease_seconds)


@dataclass(slots=True)
class LeasedBatch:
    """A batch that this worker holds, and how far it has got."""

    id: int
    announcement_id: int
    channel: str
    first_delivery_id: int
    last_delivery_id: int
    due_at: datetime | None
    priority: int
    started_through: int
    failures: int
    urgent: bool
    has_budget: bool
    """What its texts may cost is limited: see hub.deliveries.budgets."""
    lease: str
    started_before: int = field(init=False)
    """What the batch had been started through when it was leased."""

    def __post_init__(self) -> None:
        self.started_before = max(self.started_through, self.first_delivery_id - 1)

    @property
    def used_up(self) -> bool:
        """Whether everything that it covers has been started."""
        return self.started_through >= self.last_delivery_id


class Start(NamedTuple):
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
    time_zone: str
    quiet_from: time | None
    quiet_until: time | None


def waiting_batches(channel: str, now: datetime | BindParameter[datetime]) -> Select[int]:
    """The ids of the batches of a channel that could be leased, the most urgent one first."""
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
    chosen = waiting_batches(channel, now).limit(1).with_for_update(of=Batch, skip_locked=True)
    taken = session.scalar(
        update(Batch)
        .where(Batch.id == chosen.scalar_subquery())
        .values(state=BatchState.LEASED, lease=lease, held_until=now + lease_time())
        .returning(Batch.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return None
    row = session.execute(
        select(
            Batch.id,
            Batch.announcement_id,
            Batch.channel,
            Batch.first_delivery_id,
            Batch.last_delivery_id,
            Batch.due_at,
            Batch.priority,
            Batch.started_through,
            Batch.failures,
            Announcement.urgent,
            Announcement.budget.is_not(None).label("has_budget"),
        )
        .join(Announcement, Announcement.id == Batch.announcement_id)
        .where(Batch.id == taken)
    ).one()
    return LeasedBatch(**row._mapping, lease=lease)


def covered_by(batch: Any) -> ColumnElement[bool]:
    """The deliveries that a batch (a row of batches, or a :class:`LeasedBatch`) is there for."""
    return and_(
        Delivery.id >= batch.first_delivery_id,
        Delivery.id <= batch.last_delivery_id,
        Delivery.announcement_id == batch.announcement_id,
        Delivery.channel == batch.channel,
        Delivery.due_at.is_not_distinct_from(batch.due_at),
    )


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
