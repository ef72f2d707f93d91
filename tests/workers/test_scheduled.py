"""The dispatcher launches what is due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, utc_now, write_session
from hub.deliveries import scheduling, service
from hub.deliveries.models import Delivery
from tests.deliveries.people import announcement, somebody
from workers.dispatcher import dispatch_once

pytestmark = pytest.mark.usefixtures("database", "valkey")


def test_what_is_due_is_launched_and_what_can_not_be_holds_nothing_up() -> None:
    now = utc_now()
    with write_session() as session:
        somebody(session, "Ann", "email")
        made = [announcement(session, title=title).id for title in ("Useless", "Due", "Later", "Undone")]
        for key in made:
            service.check(session, key, now)
            scheduling.schedule(session, key, now + timedelta(hours=1), None, now)
        for key, minutes in zip(made[:2], (2, 1), strict=True):
            session.get_one(Announcement, key).starts_at = now - timedelta(minutes=minutes)
        session.get_one(Announcement, made[0]).useful_until = now - timedelta(minutes=3)
        scheduling.take_back(session, made[3])
    dispatch_once()
    dispatch_once()
    with read_session() as session:
        states = {each.title: each.state for each in session.scalars(select(Announcement))}
        assert states == {
            "Useless": AnnouncementState.DRAFT,
            "Due": AnnouncementState.UNDER_WAY,
            "Later": AnnouncementState.SCHEDULED,
            "Undone": AnnouncementState.DRAFT,
        }
        assert session.scalars(select(Delivery.announcement_id)).all() == [made[1]]
        assert [each.title for each in scheduling.kept_back(session)] == ["Useless"]
