"""What a failed delivery teaches about its contact point: it outlives the announcement that brought it to light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.deliveries.models import Delivery
from hub.deliveries.rules import Why
from hub.participants.models import ConsentSource, ContactPoint
from hub.participants.service import mark_bad, opt_out


@dataclass(frozen=True, slots=True)
class Lesson:
    """A provider's word on the contact point of one delivery: ``why`` is OPTED_OUT or CONTACT_POINT_IS_BAD."""

    delivery_id: int
    why: Why
    provider: str
    code: str


def learn(session: Session, lessons: Sequence[Lesson], now: datetime) -> None:
    """Change the contact points that providers refused, so that nothing more is sent to them."""
    if not lessons:
        return
    points = {
        row.delivery_id: row
        for row in session.execute(
            select(Delivery.id.label("delivery_id"), ContactPoint.id, ContactPoint.channel, ContactPoint.address)
            .join(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
            .where(Delivery.id.in_([lesson.delivery_id for lesson in lessons]))
        )
    }
    for lesson in lessons:
        point = points.get(lesson.delivery_id)
        if point is None:
            continue
        code = f" ({lesson.code})" if lesson.code else ""
        if lesson.why is Why.OPTED_OUT:
            opt_out(
                session,
                channel=point.channel,
                address=point.address,
                source=ConsentSource.PROVIDER,
                wording=f"{lesson.provider} says that messages to this address have been stopped{code}",
                now=now,
            )
        else:
            mark_bad(session, [point.id], f"{lesson.provider} says that it can’t be delivered to{code}", now)
