"""What waits to be sent, read, and settled: for pages, the doctor and monitoring. Cheap for any number of people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries.models import Batch, BatchState, ReachTally, Receipt, UncertainDelivery
from hub.deliveries.rules import DeliveryState


@dataclass(frozen=True, slots=True)
class ChannelBacklog:
    """The open batches of a channel. Those that wait for a moment that somebody chose are not ``due``."""

    channel: str
    due: int = 0
    being_sent: int = 0
    later: int = 0
    oldest: datetime | None = None
    """Since when the oldest delivery could have left that has not."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Reports that were stored and not read yet, and deliveries of which it is not known whether they were sent."""

    reports: int
    oldest_report: datetime | None
    uncertain: int
    for_a_person: int


def backlog(session: Session, now: datetime) -> list[ChannelBacklog]:
    """One for each channel, in the registry's order."""
    may_leave = and_(
        Announcement.state == AnnouncementState.UNDER_WAY,
        or_(Batch.due_at.is_(None), Batch.due_at <= now),
    )
    due = and_(Batch.state == BatchState.WAITING, may_leave)
    since = func.coalesce(Batch.due_at, Announcement.launched_at)
    found = session.execute(
        select(
            Batch.channel,
            func.count(case((due, 1))),
            func.count(case((Batch.state == BatchState.LEASED, 1))),
            func.count(case((and_(Batch.state == BatchState.WAITING, ~may_leave), 1))),
            func.min(case((may_leave, since))),
        )
        .join(Announcement, Announcement.id == Batch.announcement_id)
        .where(Batch.state != BatchState.DONE)
        .group_by(Batch.channel)
    )
    by_channel = {row[0]: ChannelBacklog(*row) for row in found}
    return [by_channel.get(name, ChannelBacklog(name)) for name in CHANNELS]


def unsettled(session: Session) -> Unsettled:
    """What others still have to say."""
    reports, oldest = session.execute(
        select(func.count(), func.min(Receipt.received_at)).where(Receipt.applied_at.is_(None))
    ).one()
    uncertain, for_a_person = session.execute(
        select(func.count(), func.count(case((UncertainDelivery.for_a_person, 1))))
    ).one()
    return Unsettled(reports, oldest, uncertain, for_a_person)


def deliveries_by_state(session: Session) -> list[tuple[str, DeliveryState, int]]:
    """How many live deliveries there are in each state, by channel; from the tallies."""
    found = session.execute(
        select(ReachTally.channel, ReachTally.state, func.sum(ReachTally.people))
        .where(ReachTally.live)
        .group_by(ReachTally.channel, ReachTally.state)
    )
    return [(channel, state, int(people)) for channel, state, people in found]
