"""Which failures are worth another try of the same contact point, before the person's next rung."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.settings import settings
from hub.announcements.models import Announcement
from hub.deliveries.rules import Why

AT_ONCE = {Why.NOT_SENT: 3}
"""What never left is sent again without delay, so many times."""
WHEN_UNEXPLAINED = (timedelta(minutes=15),)


def delays(why: Why) -> tuple[timedelta, ...]:
    """How long after each failed try for this reason the next one is made; as many tries as there are delays."""
    if why is Why.NOT_NOW:
        return tuple(timedelta(minutes=float(part)) for part in settings().retry_minutes.split(",") if part)
    return WHEN_UNEXPLAINED if why is Why.UNEXPLAINED else (timedelta(),) * AT_ONCE.get(why, 0)


def due_again(announcement: Announcement, why: Why, attempt: int, now: datetime) -> datetime | None:
    """When a contact point is to be tried again after its ``attempt``-th failure (from 1). None: it is not.

    Nobody waits for a phone to be switched on when something is urgent, or past the time until which it is of use.
    """
    following = delays(why)
    if attempt > len(following):
        return None
    delay = following[attempt - 1]
    if announcement.urgent and delay:
        return None
    if announcement.useful_until is not None and announcement.useful_until <= now + delay:
        return None
    return now + delay
