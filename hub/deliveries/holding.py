"""Deliveries that are held when their turn comes: it is quiet hours by now, or the person has had enough for a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, func, select, update
from sqlalchemy.orm import Session

from config.channels import CHANNELS, Handover
from config.settings import settings
from hub.announcements.models import Announcement
from hub.bulk import json_table
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.quiet_hours import quiet_ends
from hub.deliveries.rules import DeliveryState
from hub.deliveries.sending import LeasedBatch, Start

NEXT_MORNING = time(9)
"""When what was too much for one day leaves on the next, unless that is in the person's quiet hours."""

ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.CONFIRMED, DeliveryState.UNCERTAIN)


def holds(session: Session, batch: LeasedBatch, ready: Sequence[Start], now: datetime) -> dict[int, datetime]:
    """Which of these deliveries must wait, and until when, by delivery id. What is urgent never waits, nor do calls."""
    if batch.urgent or CHANNELS[batch.channel].handover is not Handover.SENT:
        return {}
    held: dict[int, datetime] = {}
    minute = now.replace(second=0, microsecond=0)
    enough = _had_enough_today(session, batch, [each.participant_id for each in ready], now)
    for each in ready:
        if each.quiet_from is not None and each.quiet_until is not None:
            zone = each.time_zone or settings().time_zone
            ends = quiet_ends(zone, each.quiet_from, each.quiet_until, minute)
            if ends is not None:
                held[each.delivery_id] = ends
        if each.participant_id in enough:
            held[each.delivery_id] = _next_morning(now)
    return held


def hold(session: Session, batch: LeasedBatch, held: Mapping[int, datetime]) -> None:
    """Let deliveries of a window that was just started wait, in batches of their own."""
    by_moment: dict[datetime, list[int]] = defaultdict(list)
    for delivery_id, until in held.items():
        by_moment[until].append(delivery_id)
    for until, ids in by_moment.items():
        # A batch covers the ids of a range that have its due_at. No other batch has this one, so none covers these.
        due_at = until.replace(microsecond=1 + batch.id % 999_999)
        given = json_table(session, {"id": BigInteger()}, [{"id": key} for key in ids])
        session.execute(
            update(Delivery)
            .where(Delivery.id == given.c.id)
            .values(due_at=due_at)
            .execution_options(synchronize_session=False)
        )
        session.add(
            Batch(
                announcement_id=batch.announcement_id,
                channel=batch.channel,
                first_delivery_id=min(ids),
                last_delivery_id=max(ids),
                size=len(ids),
                priority=batch.priority,
                due_at=due_at,
            )
        )
    session.flush()


def _had_enough_today(
    session: Session, batch: LeasedBatch, participant_ids: Sequence[int], now: datetime
) -> frozenset[int]:
    most = settings().messages_per_day
    today = _local(now).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)
    others = (
        Announcement.urgent.is_(False),
        Announcement.id != batch.announcement_id,
        Announcement.launched_at.is_not(None),
        func.coalesce(Announcement.closed_at >= today, True),
    )
    # Each announcement reaches a person once, so that where few are under way nobody's messages need counting.
    if not most or (session.scalar(select(func.count()).where(*others)) or 0) < most:
        return frozenset()
    given = json_table(session, {"id": BigInteger()}, [{"id": key} for key in participant_ids])
    found = session.scalars(
        select(Delivery.participant_id)
        .join(given, given.c.id == Delivery.participant_id)
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .where(*others, Delivery.state.in_(ARRIVED), Delivery.state_at >= today)
        .where(Delivery.channel.in_([entry.name for entry in CHANNELS.values() if entry.handover is Handover.SENT]))
        .group_by(Delivery.participant_id)
        .having(func.count() >= most)
    )
    return frozenset(found)


def _next_morning(now: datetime) -> datetime:
    tomorrow = _local(now).date() + timedelta(days=1)
    return datetime.combine(tomorrow, NEXT_MORNING, ZoneInfo(settings().time_zone)).astimezone(now.tzinfo)


def _local(now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(settings().time_zone))
