"""Sending later, and the moments after Send in which it can be undone: both are an announcement that has not left yet.

Nobody has a delivery before the launch, so taking an announcement back is safe until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries import service
from hub.deliveries.service import HasProblems, NotChecked, held
from hub.errors import Conflict, HubError

MOST_SHOWN = 20


class BadTime(HubError):
    """400: an announcement can't leave at that time."""


class HasLeft(Conflict):
    """409: an announcement can't be taken back or hurried up any more."""


def send(session: Session, announcement_id: int, by: int | None, now: datetime) -> Announcement:
    """Send a checked announcement, with a while to undo it: see UNDO_SECONDS. What is urgent leaves at once.

    Raises as hub.deliveries.service.launch does.
    """
    announcement = held(session, announcement_id)
    undo = timedelta(seconds=settings().undo_seconds)
    too_short = announcement.useful_until is not None and announcement.useful_until <= now + undo
    if announcement.urgent or too_short or not undo:
        return service.launch(session, announcement_id, by, now)
    return schedule(session, announcement_id, now + undo, by, now)


def schedule(
    session: Session, announcement_id: int, starts_at: datetime, by: int | None, now: datetime
) -> Announcement:
    """Have a checked announcement sent at ``starts_at``. Raises BadTime, and as hub.deliveries.service.launch does."""
    announcement = service.ready(session, announcement_id, now)
    refuse_past(starts_at, now)
    if announcement.useful_until is not None and announcement.useful_until <= starts_at:
        raise BadTime("It is of no use any more at that time. Choose an earlier one.")
    announcement.state = AnnouncementState.SCHEDULED
    announcement.starts_at, announcement.launched_by = starts_at, by
    session.flush()
    return announcement


def refuse_past(starts_at: datetime | None, now: datetime) -> None:
    """Raise BadTime where a time is not in the future."""
    if _is_past(starts_at, now):
        raise BadTime("This time has passed already. Choose a later one.")


def take_back(session: Session, announcement_id: int) -> Announcement:
    """Make a scheduled announcement a draft again. Raises HasLeft where it is too late."""
    announcement = _scheduled(session, announcement_id)
    announcement.state = AnnouncementState.DRAFT
    announcement.starts_at = announcement.launched_by = None
    return announcement


def send_now(session: Session, announcement_id: int, now: datetime) -> bool:
    """Launch a scheduled announcement without waiting for its time. False as for :func:`launch_scheduled`."""
    announcement = _scheduled(session, announcement_id)
    announcement.starts_at = now
    return _launch(session, announcement, now)


def due(session: Session, now: datetime) -> list[int]:
    """The scheduled announcements that are to be launched by now, urgent ones first."""
    found = select(Announcement.id).where(
        Announcement.state == AnnouncementState.SCHEDULED, Announcement.starts_at <= now
    )
    return list(session.scalars(found.order_by(Announcement.urgent.desc(), Announcement.starts_at)))


def launch_scheduled(session: Session, announcement_id: int, now: datetime) -> bool:
    """Launch an announcement that is due. Any number of processes may do this at the same time.

    False where there is nothing to launch any more, or where something stands in the way. Then it is a draft again,
    which keeps the time at which it was to leave: see :func:`kept_back`.
    """
    announcement = held(session, announcement_id)
    if announcement.state is not AnnouncementState.SCHEDULED or not _is_past(announcement.starts_at, now):
        return False
    return _launch(session, announcement, now)


def waiting(session: Session) -> list[Announcement]:
    """The announcements that are to be sent, the next one first."""
    found = select(Announcement).where(Announcement.state == AnnouncementState.SCHEDULED)
    return list(session.scalars(found.order_by(Announcement.starts_at).limit(MOST_SHOWN)))


def kept_back(session: Session) -> list[Announcement]:
    """The drafts that were to be sent at a time, and could not be: a dry run says what stands in the way."""
    found = select(Announcement).where(
        Announcement.state == AnnouncementState.DRAFT, Announcement.starts_at.is_not(None)
    )
    return list(session.scalars(found.order_by(Announcement.starts_at.desc()).limit(MOST_SHOWN)))


def is_kept_back(announcement: Announcement) -> bool:
    """Whether an announcement is one of :func:`kept_back`."""
    return announcement.state is AnnouncementState.DRAFT and announcement.starts_at is not None


def _scheduled(session: Session, announcement_id: int) -> Announcement:
    announcement = held(session, announcement_id)
    if announcement.state is AnnouncementState.DRAFT:
        raise HasLeft(f"“{announcement.title}” is a draft: somebody has taken it back, or it could not be sent.")
    if announcement.state is not AnnouncementState.SCHEDULED:
        raise HasLeft(f"“{announcement.title}” has left already. You can still pause or cancel the rest of it.")
    return announcement


def _launch(session: Session, announcement: Announcement, now: datetime) -> bool:
    announcement.state = AnnouncementState.DRAFT
    try:
        service.launch(session, announcement.id, announcement.launched_by, now)
    except (HasProblems, NotChecked):
        announcement.launched_by = None
        session.flush()
        return False
    return True


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now
