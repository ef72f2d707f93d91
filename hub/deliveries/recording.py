"""Writing down what became of deliveries, and who needs a next step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, String, case, func, insert, literal, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from config.settings import settings
from hub.bulk import json_table
from hub.db import UtcDateTime
from hub.deliveries.models import Delivery, FollowUp, UncertainDelivery
from hub.deliveries.rules import DeliveryState, Why


class Result(NamedTuple):
    """What became of one delivery."""

    delivery_id: int
    state: DeliveryState
    why: Why = Why.NONE
    provider_id: str | None = None
    code: str | None = None


RESULT_COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(),
    "state": String(),
    "why": String(),
    "provider_id": String(),
    "code": String(),
}


def record(session: Session, results: Sequence[Result], now: datetime) -> None:
    """Write down what became of deliveries, in one statement; failed ones are put down for their next step.

    A receipt may have come first: then its state stays, and only the provider's id is added.
    """
    if not results:
        return
    given = json_table(
        session,
        RESULT_COLUMNS,
        [
            {"id": r.delivery_id, "state": r.state, "why": r.why, "provider_id": r.provider_id, "code": r.code}
            for r in results
        ],
    )
    may_move = Delivery.state.in_([DeliveryState.PLANNED, DeliveryState.UNCERTAIN])
    session.execute(
        update(Delivery)
        .where(Delivery.id == given.c.id)
        .values(
            state=case((may_move, given.c.state), else_=Delivery.state),
            why=case((may_move, given.c.why), else_=Delivery.why),
            code=case((may_move, given.c.code), else_=Delivery.code),
            state_at=case((may_move, literal(now, UtcDateTime())), else_=Delivery.state_at),
            provider_id=func.coalesce(given.c.provider_id, Delivery.provider_id),
        )
        .execution_options(synchronize_session=False)
    )
    follow_up(session, {r.delivery_id: now for r in results if r.state is DeliveryState.FAILED})
    note_uncertain(session, [r.delivery_id for r in results if r.state is DeliveryState.UNCERTAIN], now)


def follow_up(session: Session, due: dict[int, datetime]) -> None:
    """Put failed, live deliveries down for the next step of their ladder, each at its moment."""
    _put_down(session, due, Delivery.state == DeliveryState.FAILED)


def step_on(session: Session, delivery_ids: Sequence[int], now: datetime) -> None:
    """Put live deliveries that did not fail down for the next step of their ladder."""
    _put_down(session, dict.fromkeys(delivery_ids, now), true())


def _put_down(session: Session, due: dict[int, datetime], only: ColumnElement[bool]) -> None:
    if not due:
        return
    given = json_table(
        session, {"id": BigInteger(), "due_at": UtcDateTime()}, [{"id": key, "due_at": at} for key, at in due.items()]
    )
    waiting = (
        select(Delivery.id, given.c.due_at)
        .join(given, given.c.id == Delivery.id)
        .where(Delivery.live, only)
        .where(Delivery.id.not_in(select(FollowUp.delivery_id)))
    )
    session.execute(
        insert(FollowUp).from_select(["delivery_id", "due_at"], waiting, include_defaults=False),
    )


def note_uncertain(session: Session, delivery_ids: Sequence[int], now: datetime) -> None:
    """Put those of these deliveries that are uncertain down for being settled."""
    if not delivery_ids:
        return
    given = json_table(session, {"id": BigInteger()}, [{"id": key} for key in delivery_ids])
    noted = (
        select(
            Delivery.id,
            Delivery.channel,
            literal(now, UtcDateTime()),
            literal(now + timedelta(seconds=settings().ask_after_seconds), UtcDateTime()),
            literal(False),
        )
        .join(given, given.c.id == Delivery.id)
        .where(Delivery.state == DeliveryState.UNCERTAIN)
        .where(Delivery.id.not_in(select(UncertainDelivery.delivery_id)))
    )
    columns = ["delivery_id", "channel", "since", "ask_at", "for_a_person"]
    session.execute(insert(UncertainDelivery).from_select(columns, noted, include_defaults=False))
