"""Every attempt to reach a person is a row here, and these rows are the truth."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, BigId, enum_column
from hub.deliveries.rules import DeliveryState, Why


class Delivery(Base):
    """One attempt to reach one participant for one announcement at one contact point.

    Exactly one delivery per announcement and participant is live: the one that counts. No index holds ``state``,
    so that PostgreSQL can change it in place (heap-only tuples).
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "uq_deliveries_live",
            "announcement_id",
            "participant_id",
            unique=True,
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        # The few attempts that the ladder has left behind.
        Index(
            "ix_deliveries_closed",
            "announcement_id",
            "participant_id",
            postgresql_where=text("NOT live"),
            sqlite_where=text("NOT live"),
        ),
        Index("ix_deliveries_participant", "participant_id"),
        {"sqlite_autoincrement": True, "postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # None of these is a foreign key. Rows come from one INSERT … SELECT over the tables themselves, in which checking
    # two keys a row takes nine tenths of the time; and a contact point can be removed while its history is kept.
    announcement_id: Mapped[int]
    participant_id: Mapped[int] = mapped_column(BigId)
    contact_point_id: Mapped[int | None] = mapped_column(BigId)
    channel: Mapped[str] = mapped_column(String(20), default="")
    """Empty where no contact point could be chosen."""
    rung: Mapped[int] = mapped_column(SmallInteger, default=1)
    """The rank of the contact point in the person's order."""
    attempt: Mapped[int] = mapped_column(SmallInteger, default=1)
    """How often this rung has been tried, this time included."""
    state: Mapped[DeliveryState] = mapped_column(enum_column(DeliveryState))
    why: Mapped[Why] = mapped_column(enum_column(Why), default=Why.NONE)
    live: Mapped[bool] = mapped_column(default=True)
    due_at: Mapped[datetime | None]
    """Not to be sent before this moment. None: as soon as possible."""
    provider_id: Mapped[str | None] = mapped_column(String(80))
    code: Mapped[str | None] = mapped_column(String(40))
    """The provider's own code for a failure."""
    state_at: Mapped[datetime]


class BatchState(StrEnum):
    """Where a batch is: waiting for a worker, leased to one, or all handed over."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"


class Batch(Base):
    """A range of delivery ids that one worker sends: the backlog, and the record of what is in flight.

    The batch covers the deliveries of its announcement and channel with ``first_delivery_id <= id <=
    last_delivery_id`` and the same ``due_at``; every planned delivery is in exactly one open batch.
    Deliveries up to ``started_through`` have been handed to the provider's client. After a crash, those of them that
    still say “planned” are the uncertain ones, and all behind them are known to be unsent.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Index(
            "ix_batches_open",
            "channel",
            "priority",
            "id",
            postgresql_where=text("state <> 'done'"),
            sqlite_where=text("state <> 'done'"),
        ),
        Index("ix_batches_announcement", "announcement_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id"))
    channel: Mapped[str] = mapped_column(String(20))
    first_delivery_id: Mapped[int] = mapped_column(BigId)
    last_delivery_id: Mapped[int] = mapped_column(BigId)
    size: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(SmallInteger, default=5)
    """Lower goes first: 1 urgent, 5 ordinary."""
    due_at: Mapped[datetime | None]
    state: Mapped[BatchState] = mapped_column(enum_column(BatchState), default=BatchState.WAITING)
    started_through: Mapped[int] = mapped_column(BigId, default=0)
    lease: Mapped[str | None] = mapped_column(String(36))
    """The holder's own token; whoever does not hold it may not start another delivery."""
    held_until: Mapped[datetime | None]
    """Leased: when the lease runs out. Waiting: when it may be tried again."""
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often a lease ran out or the job failed."""


class FollowUp(Base):
    """A delivery whose person needs a next step from the hub, and when to take it."""

    __tablename__ = "follow_ups"
    __table_args__ = (Index("ix_follow_ups_due", "due_at"),)

    delivery_id: Mapped[int] = mapped_column(BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime]


class UncertainDelivery(Base):
    """A delivery that the provider may or may not have taken, until that is settled.

    Its provider is asked at ``ask_at``, where it can be; receipts settle it at any time. Once ``for_a_person`` is set,
    nobody else can: an organiser chooses whether it is sent again.
    """

    __tablename__ = "uncertain_deliveries"
    __table_args__ = (Index("ix_uncertain_deliveries_due", "channel", "ask_at"),)

    delivery_id: Mapped[int] = mapped_column(BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    ask_at: Mapped[datetime]
    for_a_person: Mapped[bool] = mapped_column(default=False)


class ReachTally(Base):
    """A number of an announcement's deliveries that have the same state. Rows with the same keys add up.

    Kept by triggers: see hub.deliveries.tallies.
    """

    __tablename__ = "reach_tallies"
    __table_args__ = (Index("ix_reach_tallies_announcement", "announcement_id", "channel", "state", "why"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    announcement_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(20))
    state: Mapped[DeliveryState] = mapped_column(enum_column(DeliveryState))
    why: Mapped[Why] = mapped_column(enum_column(Why))
    live: Mapped[bool]
    handed_over: Mapped[bool]
    people: Mapped[int]


class Receipt(Base):
    """What a provider told us about a delivery: stored before the provider gets its answer, applied in bulk."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index(
            "ix_receipts_waiting",
            "id",
            postgresql_where=text("applied_at IS NULL"),
            sqlite_where=text("applied_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(140))
    """The provider's own id of the event: what repeats are recognised by."""
    delivery_id: Mapped[int] = mapped_column(BigId)
    provider_id: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[DeliveryState | None] = mapped_column(enum_column(DeliveryState))
    """What the event says of the delivery; None where it says nothing that moves it."""
    why: Mapped[Why] = mapped_column(enum_column(Why), default=Why.NONE)
    code: Mapped[str] = mapped_column(String(40), default="")
    opts_out: Mapped[bool] = mapped_column(default=False)
    """The event says that the person does not want this channel any more."""
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class PublicPost(Base):
    """The one post that an announcement has on a public channel, in one language."""

    __tablename__ = "public_posts"

    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(80))
    posted_at: Mapped[datetime]


class ChannelStop(Base):
    """A channel that can't send until somebody changes a setting."""

    __tablename__ = "channel_stops"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[str] = mapped_column(String(300))
    stopped_at: Mapped[datetime]
