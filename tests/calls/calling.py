"""People on a call list, for tests."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.announcements.models import AnnouncementState
from hub.calls.models import CallList
from hub.calls.service import put_on_list
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.deliveries.tallies import tally
from tests.deliveries.people import NOW, announcement, contact_point, somebody


def deliveries(session: Session, announcement_id: int, *names: str, state: str = "on_list") -> list[int]:
    """Phone deliveries to new people; their ids."""
    made = []
    for name in names:
        person = somebody(session, name)
        point = contact_point(session, person, "phone", 1)
        made.append(
            Delivery(
                announcement_id=announcement_id,
                participant_id=person.id,
                contact_point_id=point.id,
                channel="phone",
                state=DeliveryState(state),
                state_at=NOW,
            )
        )
    session.add_all(made)
    session.flush()
    tally(session, announcement_id, [("phone", state, "", len(made))])
    return [delivery.id for delivery in made]


def list_of(session: Session, *names: str) -> tuple[int, list[int]]:
    """A call list of new people for an announcement that is under way: its id, and their deliveries."""
    meeting = announcement(
        session, state=AnnouncementState.UNDER_WAY, planned_at=NOW, launched_at=NOW, title="Spring meeting"
    )
    made = deliveries(session, meeting.id, *names)
    put_on_list(session, meeting.id, made, NOW)
    return session.scalars(select(CallList.id).where(CallList.announcement_id == meeting.id)).one(), made
