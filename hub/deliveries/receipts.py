"""What providers tell us about deliveries, applied in bulk: late, repeated and out of order makes no difference."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update
from sqlalchemy.orm import Session

from hub.db import UtcDateTime
from hub.deliveries.lessons import Lesson, learn
from hub.deliveries.models import Delivery, Receipt
from hub.deliveries.recording import follow_up
from hub.deliveries.rules import DeliveryState, Why, origins

APPLIED_AT_ONCE = 1_000

IN_ORDER = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.FAILED)
"""Applied in this order, so that of several receipts for one delivery the furthest one counts."""


def apply_receipts(session: Session, now: datetime, limit: int = APPLIED_AT_ONCE) -> int:
    """Apply the oldest waiting receipts. Returns how many there were; call again until it is 0."""
    ids = session.scalars(
        select(Receipt.id)
        .where(Receipt.applied_at.is_(None))
        .order_by(Receipt.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not ids:
        return 0
    these = and_(Receipt.id >= ids[0], Receipt.id <= ids[-1], Receipt.id.in_(ids))
    for state in IN_ORDER:
        _move(session, these, state, now)
    learn(session, _lessons(session, these), now)
    _put_down_failures(session, these, now)
    session.execute(update(Receipt).where(these).values(applied_at=now).execution_options(synchronize_session=False))
    return len(ids)


def _move(session: Session, these: ColumnElement[bool], state: DeliveryState, now: datetime) -> None:
    told = (
        select(
            Receipt.delivery_id,
            func.max(Receipt.provider_id).label("provider_id"),
            func.max(Receipt.why).label("why"),
            func.max(Receipt.code).label("code"),
        )
        .where(these, Receipt.state == state)
        .group_by(Receipt.delivery_id)
        .subquery("told")
    )
    may_move = Delivery.state.in_(origins(state))
    session.execute(
        update(Delivery)
        .where(Delivery.id == told.c.delivery_id, may_move)
        .values(
            state=state,
            why=told.c.why,
            code=func.nullif(told.c.code, ""),
            provider_id=func.coalesce(Delivery.provider_id, func.nullif(told.c.provider_id, "")),
            state_at=literal(now, UtcDateTime()),
        )
        .execution_options(synchronize_session=False)
    )


def _lessons(session: Session, these: ColumnElement[bool]) -> list[Lesson]:
    why = case((Receipt.opts_out, Why.OPTED_OUT.value), else_=Receipt.why)
    told = session.execute(
        select(Receipt.delivery_id, why, Receipt.provider, Receipt.code)
        .where(these, why.in_([Why.OPTED_OUT.value, Why.CONTACT_POINT_IS_BAD.value]))
        .distinct()
    )
    return [Lesson(row[0], Why(row[1]), row[2], row[3]) for row in told]


def _put_down_failures(session: Session, these: ColumnElement[bool], now: datetime) -> None:
    failed = session.scalars(
        select(Delivery.id)
        .join(Receipt, Receipt.delivery_id == Delivery.id)
        .where(these, Receipt.state == DeliveryState.FAILED, Delivery.state == DeliveryState.FAILED, Delivery.live)
        .distinct()
    ).all()
    follow_up(session, dict.fromkeys(failed, now))
