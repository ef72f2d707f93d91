"""Deliveries that were handed over, and of which their provider says no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, insert, literal, select, update
from sqlalchemy.orm import Session

from config.channels import CHANNELS, Handover
from config.settings import EmailProvider, settings
from hub.announcements.models import Announcement
from hub.db import UtcDateTime
from hub.deliveries.models import Delivery, UncertainDelivery
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


ASKED_AFTER = timedelta(hours=1)
ASKED_AT_ONCE = 1_000
REPORTS_COME_WITHIN = timedelta(hours=72)
"""What mail servers and carriers have not delivered by then, they have given up; providers say so long before."""


def ask_for_reports(session: Session, now: datetime) -> int:
    """Have providers asked about what was sent and never reported on: a report can be lost. Returns how many."""
    silent = (
        select(
            Delivery.id,
            Delivery.channel,
            literal(now, UtcDateTime()),
            literal(now, UtcDateTime()),
            literal(False),
        )
        .where(_handed_over(now - ASKED_AFTER), Delivery.provider_id.is_not(None))
        .where(Delivery.id.not_in(select(UncertainDelivery.delivery_id)))
        .order_by(Delivery.id)
        .limit(ASKED_AT_ONCE)
    )
    columns = ["delivery_id", "channel", "since", "ask_at", "for_a_person"]
    asked = insert(UncertainDelivery).from_select(columns, silent, include_defaults=False)
    return len(session.scalars(asked.returning(UncertainDelivery.delivery_id)).all())


def give_up_on_reports(session: Session, now: datetime) -> int:
    """What was sent and is never reported on counts as not reached, so that every account ends. Returns how many."""
    given_up = session.execute(
        update(Delivery)
        .where(_handed_over(now - REPORTS_COME_WITHIN))
        .values(state=DeliveryState.UNREACHABLE, why=Why.NO_REPORT, state_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(given_up, "rowcount", 0))


def _handed_over(before: datetime) -> ColumnElement[bool]:
    """Live deliveries that a provider with reports took before a moment, and has not reported on since."""
    by_smtp = Delivery.channel == "email" if settings().email_provider is EmailProvider.SMTP else false()
    open_ones = select(Announcement.id).where(Announcement.launched_at.is_not(None), Announcement.closed_at.is_(None))
    return and_(
        Delivery.announcement_id.in_(open_ones.where(Announcement.launched_at <= before)),
        Delivery.live,
        Delivery.state == DeliveryState.SENT,
        Delivery.state_at <= before,
        Delivery.channel.in_([entry.name for entry in CHANNELS.values() if entry.handover is Handover.SENT]),
        ~by_smtp,
    )
