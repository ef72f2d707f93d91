"""When a person may be disturbed: their quiet hours, in their own time zone, daylight saving included."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, cast, literal, null, select
from sqlalchemy.orm import Session

from config.channels import CHANNELS, Handover
from config.settings import settings
from hub.db import UtcDateTime
from hub.participants.models import Participant

AT_ONCE: ColumnElement[Any] = cast(null(), UtcDateTime())
"""A due_at for nobody's quiet hours."""


@lru_cache(maxsize=4096)
def quiet_ends(zone: str, quiet_from: time, quiet_until: time, now: datetime) -> datetime | None:
    """When the quiet hours that it is now in end, in UTC. None: it is not in them.

    ``quiet_from`` later than ``quiet_until`` runs over midnight; both the same is never quiet.
    """
    local = now.astimezone(ZoneInfo(zone))
    clock = local.time().replace(tzinfo=None)
    if quiet_from <= quiet_until:
        quiet = quiet_from <= clock < quiet_until
    else:
        quiet = clock >= quiet_from or clock < quiet_until
    if not quiet:
        return None
    day = local.date() if clock < quiet_until else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet_until, tzinfo=ZoneInfo(zone)).astimezone(now.tzinfo)


def due_at(session: Session, channel: ColumnElement[str], now: datetime) -> ColumnElement[Any]:
    """The moment before which a person (a row of participants) is not to be sent anything on ``channel``.

    Null: at once. There are far fewer different quiet hours than people, so they become one CASE in the statement.
    Calls are not held: the caller sees the best time on the list.
    """
    different = (Participant.time_zone, Participant.quiet_from, Participant.quiet_until)
    whens: list[tuple[ColumnElement[bool], ColumnElement[datetime]]] = []
    for zone, quiet_from, quiet_until in session.execute(
        select(*different).where(Participant.quiet_from.is_not(None), Participant.quiet_until.is_not(None)).distinct()
    ):
        ends = quiet_ends(zone or settings().time_zone, quiet_from, quiet_until, now)
        if ends is not None:
            same = and_(
                Participant.time_zone == zone,
                Participant.quiet_from == quiet_from,
                Participant.quiet_until == quiet_until,
            )
            whens.append((same, literal(ends, UtcDateTime())))
    if not whens:
        return AT_ONCE
    machines = [entry.name for entry in CHANNELS.values() if entry.handover is Handover.SENT]
    return case((channel.in_(machines), case(*whens, else_=AT_ONCE)), else_=AT_ONCE)
