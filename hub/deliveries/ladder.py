"""What happens to a person when an attempt has failed: once more, or the next usable rung, by today's preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, and_, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import TypeEngine

from hub.announcements.models import Announcement, AnnouncementState
from hub.bulk import json_table
from hub.db import UtcDateTime
from hub.deliveries.models import Delivery, FollowUp
from hub.deliveries.planning import insert_deliveries, locked
from hub.deliveries.quiet_hours import AT_ONCE, due_at
from hub.deliveries.retries import delays, due_again
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.rungs import rungs
from hub.participants.models import Participant

STEPS_AT_ONCE = 1_000

STEPS_FROM = (DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.UNCERTAIN)
"""What a person can be moved on from: a failure, or silence after something urgent (hub.deliveries.silence)."""


def take_next_steps(session: Session, now: datetime) -> int:
    """Move people whose last attempt failed on to their next rung. Returns how many follow-ups were dealt with.

    Each announcement is a transaction's worth of work; call again until the answer is 0.
    """
    announcement_id = session.scalar(
        select(Delivery.announcement_id)
        .join(FollowUp, FollowUp.delivery_id == Delivery.id)
        .where(FollowUp.due_at <= now)
        .order_by(FollowUp.due_at)
        .limit(1)
    )
    if announcement_id is None:
        return 0
    announcement = locked(session, announcement_id)
    if announcement is None:
        return 0
    ids = session.scalars(
        select(FollowUp.delivery_id)
        .join(Delivery, Delivery.id == FollowUp.delivery_id)
        .where(FollowUp.due_at <= now, Delivery.announcement_id == announcement_id)
        .order_by(FollowUp.due_at)
        .limit(STEPS_AT_ONCE)
    ).all()
    if announcement.state is AnnouncementState.CANCELLED:
        _end(session, ids, DeliveryState.CANCELLED, now)
    else:
        _step(session, announcement, ids, now)
    session.execute(delete(FollowUp).where(FollowUp.delivery_id.in_(ids)))
    return len(ids)


def _step(session: Session, announcement: Announcement, ids: Sequence[int], now: datetime) -> None:
    if announcement.useful_until is not None and announcement.useful_until <= now:
        _end(session, ids, DeliveryState.EXPIRED, now)
        return
    following = _following(session, announcement, ids, now)
    stepping = [row.delivery_id for row in following]
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(stepping), Delivery.state.in_(STEPS_FROM))
        .values(live=False)
        .execution_options(synchronize_session=False)
    )
    if following:
        columns: dict[str, TypeEngine[Any]] = {
            **dict.fromkeys(("participant_id", "contact_point_id", "rung", "attempt"), BigInteger()),
            **dict.fromkeys(("channel", "state", "why"), String()),
            "due_at": UtcDateTime(),
        }
        chosen = json_table(session, columns, [row.as_planned() for row in following], "chosen")
        insert_deliveries(session, announcement, chosen, now)
        if announcement.state is AnnouncementState.CLOSED:  # what had been delivered came back
            announcement.state, announcement.closed_at = AnnouncementState.UNDER_WAY, None
    _end(session, [key for key in ids if key not in set(stepping)], DeliveryState.UNREACHABLE, now)


@dataclass(frozen=True, slots=True)
class _Following:
    """What comes after one attempt: another one, at the same contact point or at the next."""

    delivery_id: int
    participant_id: int
    contact_point_id: int
    channel: str
    rung: int
    attempt: int
    due_at: datetime | None

    def as_planned(self) -> dict[str, object]:
        planned = {"state": DeliveryState.PLANNED, "why": Why.NONE}
        return planned | {key: getattr(self, key) for key in self.__slots__ if key != "delivery_id"}


def _following(session: Session, announcement: Announcement, ids: Sequence[int], now: datetime) -> list[_Following]:
    chosen: dict[int, _Following] = {}
    for row in session.execute(_next_rungs(session, announcement, ids, now)):
        due, attempt = row.due_at, 1
        if row.again:
            due, attempt = due_again(announcement, row.why, row.attempt, now), row.attempt + 1
            if due is None:
                continue
        chosen.setdefault(
            row.delivery_id,
            _Following(row.delivery_id, row.participant_id, row.contact_point_id, row.channel, row.rung, attempt, due),
        )
    return list(chosen.values())


def _next_rungs(session: Session, announcement: Announcement, ids: Sequence[int], now: datetime) -> Any:
    """For each attempt that failed: the same rung once more, where that can help, then the first that was not tried."""
    every = rungs(announcement).subquery("rungs")
    tried = aliased(Delivery)
    again = and_(
        every.c.contact_point_id == Delivery.contact_point_id,
        Delivery.state == DeliveryState.FAILED,
        Delivery.why.in_([why for why in Why if delays(why)]),
    )
    held = due_at(session, every.c.channel, now)
    order = func.row_number().over(partition_by=Delivery.id, order_by=[case((again, 0), else_=1), every.c.rank])
    ranked = (
        select(
            Delivery.id.label("delivery_id"),
            Delivery.participant_id,
            Delivery.why,
            Delivery.attempt,
            again.label("again"),
            every.c.contact_point_id,
            every.c.channel,
            every.c.rank.label("rung"),
            (AT_ONCE if announcement.urgent else held).label("due_at"),
            order.label("place"),
        )
        .join(every, every.c.participant_id == Delivery.participant_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .where(
            Delivery.id.in_(ids),
            Delivery.live,
            Delivery.state.in_(STEPS_FROM),
            Participant.archived_at.is_(None),
            func.coalesce(Participant.paused_until <= now, literal(True)),
            or_(
                again,
                ~exists().where(
                    tried.announcement_id == announcement.id,
                    tried.participant_id == Delivery.participant_id,
                    tried.contact_point_id == every.c.contact_point_id,
                ),
            ),
        )
        .subquery("ranked")
    )
    return select(ranked).where(ranked.c.place <= 2).order_by(ranked.c.participant_id, ranked.c.place)


def _end(session: Session, ids: Sequence[int], state: DeliveryState, now: datetime) -> None:
    """No rung is left: whoever opted out has declined, everybody else is not reached. The reason is kept."""
    opted_out = Delivery.why.in_([Why.OPTED_OUT, Why.TOPIC_DECLINED, Why.PAUSED])
    ends = {
        DeliveryState.UNREACHABLE: case((opted_out, DeliveryState.DECLINED.value), else_=state.value),
        DeliveryState.EXPIRED: literal(state.value),
        DeliveryState.CANCELLED: literal(state.value),
    }
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.live, Delivery.state == DeliveryState.FAILED)
        .values(state=ends[state], state_at=now)
        .execution_options(synchronize_session=False)
    )
