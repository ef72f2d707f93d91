"""Starting, stopping and continuing an announcement's deliveries. The dry run is in hub.deliveries.checking."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.deliveries.checking import Check, check, standing_problems
from hub.deliveries.models import Batch, BatchState, Delivery, FollowUp
from hub.deliveries.planning import locked, plan_slice
from hub.deliveries.rules import DeliveryState, Why, origins
from hub.deliveries.stopping import resume_channel
from hub.deliveries.tallies import Tally, tallies
from hub.errors import Conflict, NotFound

__all__ = [
    "AlreadySent",
    "Check",
    "HasProblems",
    "NotChecked",
    "answered",
    "cancel",
    "check",
    "close_finished",
    "held",
    "launch",
    "pause",
    "ready",
    "resume",
    "resume_channel",
]


STILL_OPEN = frozenset(
    {
        DeliveryState.PLANNED,
        DeliveryState.UNCERTAIN,
        DeliveryState.SENT,
        DeliveryState.ON_LIST,
        DeliveryState.FAILED,
    }
)
"""As long as somebody's live delivery is in one of these, an announcement is not closed."""


class AlreadySent(Conflict):
    """409: the announcement has been sent before."""


class NotChecked(Conflict):
    """409: the announcement has changed since the last dry run, or never had one."""


class HasProblems(Conflict):
    """409: the dry run found something that must be put right first."""


def launch(session: Session, announcement_id: int, by: int | None, now: datetime) -> Announcement:
    """Start a checked announcement: write the first people's deliveries, and let the dispatcher plan the others.

    Raises AlreadySent, NotChecked or HasProblems.
    """
    announcement = ready(session, announcement_id, now)
    announcement.state = AnnouncementState.UNDER_WAY
    announcement.launched_at, announcement.launched_by = now, by
    session.flush()
    plan_slice(session, announcement_id, now)
    return announcement


def ready(session: Session, announcement_id: int, now: datetime) -> Announcement:
    """A draft that may be launched as it is, held by this transaction. Raises as :func:`launch` does."""
    announcement = held(session, announcement_id)
    if announcement.state == AnnouncementState.SCHEDULED:
        raise AlreadySent(f"“{announcement.title}” is to be sent already. Its page says when.")
    if announcement.state != AnnouncementState.DRAFT:
        raise AlreadySent(f"“{announcement.title}” has been sent already. Copy it to send it again.")
    if announcement.checked_revision != announcement.revision:
        found = check(session, announcement_id, now)
        if found.problems:
            raise HasProblems(" ".join(found.problems))
        raise NotChecked(f"“{announcement.title}” has changed since it was checked. Check it once more, then send it.")
    problems = standing_problems(session, announcement, now)
    if problems:
        raise HasProblems(" ".join(problems))
    return announcement


def pause(session: Session, announcement_id: int) -> None:
    """Hold everything of an announcement that has not left yet. Takes effect before the next messages are started."""
    announcement = held(session, announcement_id)
    if announcement.state != AnnouncementState.UNDER_WAY:
        raise Conflict(f"“{announcement.title}” is not being sent at the moment, so it can’t be paused.")
    announcement.state = AnnouncementState.PAUSED


def resume(session: Session, announcement_id: int) -> None:
    """Go on with a paused announcement where it stopped."""
    announcement = held(session, announcement_id)
    if announcement.state != AnnouncementState.PAUSED:
        raise Conflict(f"“{announcement.title}” is not paused.")
    if announcement.paused_because is PausedBecause.BUDGET:
        raise Conflict(f"“{announcement.title}” has used up what its texts may cost. Raise that first.")
    announcement.state = AnnouncementState.UNDER_WAY


def cancel(session: Session, announcement_id: int, now: datetime) -> None:
    """Send nothing more of an announcement. What has left can’t be called back, and keeps its place in the account.

    People who are still to be planned get their place, too: hub.deliveries.planning.plan_slice goes on.
    """
    announcement = held(session, announcement_id)
    if announcement.state not in {AnnouncementState.UNDER_WAY, AnnouncementState.PAUSED}:
        raise Conflict(f"“{announcement.title}” is not being sent, so there is nothing to cancel.")
    announcement.state = AnnouncementState.CANCELLED
    session.flush()
    # Deliveries in leased batches may be on the wire: their worker ends them, or the sweep does (close_finished).
    # Until this is committed nobody starts more of them, so that nothing that is cancelled here is sent.
    session.execute(
        select(Batch.id)
        .where(Batch.announcement_id == announcement_id, Batch.state != BatchState.DONE)
        .order_by(Batch.id)
        .with_for_update()
    )
    session.execute(
        update(Batch)
        .where(Batch.announcement_id == announcement_id, Batch.state == BatchState.WAITING)
        .values(state=BatchState.DONE)
        .execution_options(synchronize_session=False)
    )
    _cancel_unsent(session, announcement_id, now)


def _cancel_unsent(session: Session, announcement_id: int, now: datetime) -> None:
    leased = exists().where(
        Batch.announcement_id == announcement_id,
        Batch.state == BatchState.LEASED,
        Batch.first_delivery_id <= Delivery.id,
        Batch.started_through >= Delivery.id,
        Batch.channel == Delivery.channel,
    )
    stopped = select(Delivery.id).where(
        Delivery.announcement_id == announcement_id,
        Delivery.live,
        or_(Delivery.state.in_([DeliveryState.PLANNED]), Delivery.state == DeliveryState.ON_LIST),
        ~leased,
    )
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(stopped), Delivery.state.in_(origins(DeliveryState.CANCELLED)))
        .values(state=DeliveryState.CANCELLED, why=Why.ANNOUNCEMENT_CANCELLED, state_at=now)
        .execution_options(synchronize_session=False)
    )
    failed = select(Delivery.id).where(Delivery.announcement_id == announcement_id)
    session.execute(
        update(FollowUp)
        .where(FollowUp.delivery_id.in_(failed))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def answered(session: Session, announcement_id: int, participant_id: int, now: datetime) -> bool:
    """Somebody has answered an announcement: they know, and whatever else was under way for them stops.

    Returns whether that was news.
    """
    changed = session.execute(
        update(Delivery)
        .where(
            Delivery.announcement_id == announcement_id,
            Delivery.participant_id == participant_id,
            Delivery.live,
            Delivery.state.in_(origins(DeliveryState.CONFIRMED)),
        )
        .values(state=DeliveryState.CONFIRMED, why=Why.ANSWERED, state_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(changed, "rowcount", 0))


def close_finished(session: Session, now: datetime) -> list[int]:
    """Close announcements of which nothing is on its way or waiting for a call any more. Returns their ids."""
    candidates = session.scalars(
        select(Announcement).where(
            Announcement.state.in_([AnnouncementState.UNDER_WAY, AnnouncementState.CANCELLED]),
            Announcement.planned_at.is_not(None),
            Announcement.closed_at.is_(None),
        )
    ).all()
    for announcement in candidates:
        if announcement.state is AnnouncementState.CANCELLED:
            _cancel_unsent(session, announcement.id, now)
    silent = {each.id for each in candidates if each.urgent and each.silence_minutes is not None}
    still_open = {
        each.announcement_id
        for each in tallies(session, [announcement.id for announcement in candidates])
        if each.live and (each.state in STILL_OPEN or (each.announcement_id in silent and _may_be_silence(each)))
    }
    finished = [announcement for announcement in candidates if announcement.id not in still_open]
    for announcement in finished:
        announcement.closed_at = now
        if announcement.state == AnnouncementState.UNDER_WAY:
            announcement.state = AnnouncementState.CLOSED
    ids = [announcement.id for announcement in finished]
    session.execute(
        delete(Batch)
        .where(Batch.announcement_id.in_(ids), Batch.state != BatchState.LEASED)
        .execution_options(synchronize_session=False)
    )
    return ids


def _may_be_silence(tally: Tally) -> bool:
    return tally.state is DeliveryState.DELIVERED and tally.why is not Why.NO_ANSWER


def held(session: Session, announcement_id: int) -> Announcement:
    """The announcement, held by this transaction. Raises NotFound."""
    announcement = locked(session, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    return announcement
