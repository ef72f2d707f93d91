"""The statement that takes deliveries for sending: it looks at everybody's wishes as they are at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import CursorResult, Integer, Select, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState
from hub.db import UtcDateTime
from hub.deliveries.holding import hold, holds
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.sending import LeasedBatch, Start, covered_by, lease_time
from hub.participants.models import ContactPoint, ContactPointState, NeededFormat, Participant, TopicPreference

OF_A_BATCH = ("announcement_id", "channel", "first_delivery_id", "last_delivery_id", "due_at", "started_through")


def start(session: Session, batch: LeasedBatch, count: int, now: datetime) -> list[Start] | None:
    """Start the next ``count`` deliveries of a batch: after the commit they count as handed to the provider's client.

    A person who opted out, paused or lost the contact point since planning is not in the answer, and their delivery is
    ended here; nor is anybody who must not be disturbed now, whose delivery waits for its time in a batch of its own.
    The answer is empty when the batch is used up, and None when this worker holds it no longer, or the announcement is
    not under way.
    """
    # Who cancels holds the batch until that is committed (hub.deliveries.service.cancel), so wait and then look.
    session.execute(select(Batch.id).where(Batch.id == batch.id).with_for_update())
    given = {name: getattr(batch, name) for name in OF_A_BATCH}
    taken = session.execute(_next(), {**given, "now": now, "count": count}).all()
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
        .values(started_through=through, held_until=now + lease_time())
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", still_ours).rowcount == 0:
        return None
    batch.started_through = through
    record(session, [_ended(row) for row in taken if row.verdict], now)
    ready = [Start._make(row[:-1]) for row in taken if not row.verdict]
    held = holds(session, batch, ready, now)
    hold(session, batch, held)
    return [each for each in ready if each.delivery_id not in held]


def recipients(session: Session, delivery_ids: Sequence[int]) -> list[Start]:
    """Who deliveries are for, whatever their state."""
    return [Start._make(row) for row in session.execute(_people().where(Delivery.id.in_(delivery_ids)))]


def _people() -> Select[*tuple[Any, ...]]:
    """The columns of :class:`Start`."""
    formats = (
        select(func.aggregate_strings(NeededFormat.format, ","))
        .where(NeededFormat.participant_id == Participant.id)
        .scalar_subquery()
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
            Participant.time_zone,
            Participant.quiet_from,
            Participant.quiet_until,
        )
        .select_from(Delivery)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
    )


@cache
def _next() -> Select[*tuple[Any, ...]]:
    batch = SimpleNamespace(**{name: bindparam(name) for name in OF_A_BATCH})
    now = bindparam("now", type_=UtcDateTime())
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
        _people()
        .add_columns(verdict.label("verdict"))
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .where(
            covered_by(batch),
            Delivery.id > batch.started_through,
            Delivery.state == DeliveryState.PLANNED,
        )
        .order_by(Delivery.id)
        .limit(bindparam("count", type_=Integer()))
    )


def _ended(row: Any) -> Result:
    ends = {
        Why.PAUSED: DeliveryState.DECLINED,
        Why.TOPIC_DECLINED: DeliveryState.DECLINED,
        Why.NOT_USEFUL_ANY_MORE: DeliveryState.EXPIRED,
    }
    why = Why(row.verdict)
    return Result(row.delivery_id, ends.get(why, DeliveryState.FAILED), why)
