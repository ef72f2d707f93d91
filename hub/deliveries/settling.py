"""Deliveries whose provider will never say more: handed over, and nothing came back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.settings import EmailProvider, settings
from hub.announcements.models import Announcement
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState, Why

BOUNCES_COME_WITHIN = timedelta(hours=1)
"""A mailbox's server refuses most bad addresses at once; what bounces later than this is corrected by hand."""


def settle_without_receipts(session: Session, now: datetime) -> int:
    """Email by SMTP has no receipts: what has not come back after an hour counts as delivered, and says why."""
    if settings().email_provider is not EmailProvider.SMTP:
        return 0
    open_ones = select(Announcement.id).where(Announcement.launched_at.is_not(None), Announcement.closed_at.is_(None))
    settled = session.execute(
        update(Delivery)
        .where(
            Delivery.announcement_id.in_(open_ones),
            Delivery.live,
            Delivery.channel == "email",
            Delivery.state == DeliveryState.SENT,
            Delivery.state_at < now - BOUNCES_COME_WITHIN,
        )
        .values(state=DeliveryState.DELIVERED, why=Why.NO_BOUNCE, state_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(settled, "rowcount", 0))
