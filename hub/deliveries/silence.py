"""Silence after something urgent: whoever has not answered in the time that the organiser set is tried the next way."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.channels import CHANNELS, Handover
from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries.models import Delivery
from hub.deliveries.recording import step_on
from hub.deliveries.rules import DeliveryState, Why

HEARD_AT_ONCE = 1_000


def note_silence(session: Session, now: datetime) -> int:
    """Put people who have been silent for too long down for their next rung. Returns how many.

    A delivery that nobody has answered keeps its state: where no rung is left, “delivered” is what is known.
    """
    waiting = session.execute(
        select(Announcement.id, Announcement.silence_minutes).where(
            Announcement.state == AnnouncementState.UNDER_WAY,
            Announcement.urgent,
            Announcement.silence_minutes.is_not(None),
        )
    ).all()
    return sum(_note(session, row.id, now - timedelta(minutes=row.silence_minutes or 0), now) for row in waiting)


def _note(session: Session, announcement_id: int, silent_since: datetime, now: datetime) -> int:
    machines = [entry.name for entry in CHANNELS.values() if entry.handover is Handover.SENT]
    silent = (
        select(Delivery.id)
        .where(
            Delivery.announcement_id == announcement_id,
            Delivery.live,
            Delivery.channel.in_(machines),
            Delivery.state.in_([DeliveryState.SENT, DeliveryState.DELIVERED]),
            Delivery.why != Why.NO_ANSWER,
            Delivery.state_at <= silent_since,
        )
        .limit(HEARD_AT_ONCE)
    )
    ids = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(silent))
        .values(why=Why.NO_ANSWER)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    step_on(session, ids, now)
    return len(ids)
