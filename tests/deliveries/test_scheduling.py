"""Announcements that leave later, and the moments after Send in which it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select, update

from config.settings import Settings
from hub.announcements import service as announcements
from hub.announcements.models import Announcement, AnnouncementState
from hub.announcements.rules import AboutToLeave
from hub.db import read_session, write_session
from hub.deliveries import scheduling, service
from hub.deliveries.models import Delivery
from hub.deliveries.scheduling import BadTime, HasLeft
from hub.deliveries.service import AlreadySent, HasProblems, NotChecked
from hub.participants.models import Participant
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def draft() -> int:
    """A checked announcement for two people."""
    with write_session() as session:
        somebody(session, "Ann", "email")
        somebody(session, "Bob", "text")
        made = announcement(session).id
        service.check(session, made, NOW)
        return made


def schedule(announcement_id: int, starts_at: object = LATER) -> None:
    with write_session() as session:
        scheduling.schedule(session, announcement_id, starts_at, None, NOW)  # type: ignore[arg-type]  # a time


def launch_due(now: object = LATER) -> list[int]:
    with read_session() as session:
        ids = scheduling.due(session, now)  # type: ignore[arg-type]  # a time
    with write_session() as session:
        return [key for key in ids if scheduling.launch_scheduled(session, key, now)]  # type: ignore[arg-type]


def state(announcement_id: int) -> AnnouncementState:
    with read_session() as session:
        return session.get_one(Announcement, announcement_id).state


def deliveries() -> int:
    with read_session() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def test_nobody_has_a_delivery_before_the_time_and_everybody_after_it(draft: int) -> None:
    schedule(draft)
    assert (state(draft), deliveries()) == (AnnouncementState.SCHEDULED, 0)
    assert launch_due(LATER - timedelta(seconds=1)) == []
    assert launch_due() == [draft]
    assert (state(draft), deliveries()) == (AnnouncementState.UNDER_WAY, 2)
    assert launch_due() == []
    with read_session() as session:
        assert session.get_one(Announcement, draft).launched_at == LATER


def test_two_dispatchers_launch_it_once(draft: int) -> None:
    schedule(draft)
    launched: list[bool] = []

    def launch() -> None:
        with write_session() as session:
            launched.append(scheduling.launch_scheduled(session, draft, LATER))

    threads = [Thread(target=launch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(launched) == [False, False, False, True]
    assert deliveries() == 2


def test_what_is_taken_back_is_a_draft_that_can_be_changed_and_is_not_sent(draft: int) -> None:
    schedule(draft)
    with write_session() as session, pytest.raises(AboutToLeave, match="take it back first"):
        announcements.write_variant(session, draft, "email", body="Other words.")
    with write_session() as session:
        scheduling.take_back(session, draft)
    assert launch_due() == []
    with write_session() as session:
        announcements.write_variant(session, draft, "email", body="Other words.")
        assert not scheduling.kept_back(session)
    assert (state(draft), deliveries()) == (AnnouncementState.DRAFT, 0)


def test_what_has_left_can_not_be_taken_back(draft: int) -> None:
    schedule(draft)
    launch_due()
    for hurry in (scheduling.take_back, lambda session, key: scheduling.send_now(session, key, LATER)):
        with write_session() as session, pytest.raises(HasLeft, match="pause or cancel"):
            hurry(session, draft)
    with write_session() as session, pytest.raises(AlreadySent):
        scheduling.schedule(session, draft, LATER, None, NOW)


def test_what_waits_can_be_sent_now(draft: int) -> None:
    schedule(draft)
    with write_session() as session, pytest.raises(AlreadySent, match="is to be sent already"):
        service.launch(session, draft, None, NOW)
    with write_session() as session:
        assert scheduling.send_now(session, draft, NOW)
    assert (state(draft), deliveries()) == (AnnouncementState.UNDER_WAY, 2)


@pytest.mark.parametrize("minutes", [-1, 0, 180, 240])
def test_it_leaves_in_the_future_and_while_it_is_of_use(draft: int, minutes: int) -> None:
    with write_session() as session:
        session.get_one(Announcement, draft).useful_until = NOW + timedelta(hours=3)
    with pytest.raises(BadTime):
        schedule(draft, NOW + timedelta(minutes=minutes))
    assert state(draft) is AnnouncementState.DRAFT


def test_only_what_was_checked_and_has_no_problems_can_be_scheduled(draft: int) -> None:
    with write_session() as session:
        session.get_one(Announcement, draft).revision += 1
    with pytest.raises(NotChecked):
        schedule(draft)
    with write_session() as session:
        session.get_one(Announcement, draft).useful_until = NOW - timedelta(days=1)
        service.check(session, draft, NOW)
    with pytest.raises(HasProblems):
        schedule(draft)


def test_what_can_not_leave_at_its_time_is_a_draft_again_and_is_shown(draft: int) -> None:
    schedule(draft)
    with write_session() as session:
        session.execute(update(Participant).values(archived_at=NOW))
    assert launch_due() == []
    assert (state(draft), deliveries()) == (AnnouncementState.DRAFT, 0)
    with write_session() as session:
        assert [(each.id, each.starts_at) for each in scheduling.kept_back(session)] == [(draft, LATER)]
        assert service.check(session, draft, LATER).problems
        assert scheduling.due(session, LATER + timedelta(days=1)) == []
        announcements.write_variant(session, draft, "email", body="Other words.")
        assert scheduling.kept_back(session) == []  # somebody is at work on it


def test_send_can_be_undone_for_some_seconds(draft: int) -> None:
    with write_session() as session:
        sent = scheduling.send(session, draft, None, NOW)
        assert (sent.state, sent.starts_at) == (AnnouncementState.SCHEDULED, NOW + timedelta(seconds=10))
        assert [each.id for each in scheduling.waiting(session)] == [draft]
    assert launch_due(NOW + timedelta(seconds=10)) == [draft]


@pytest.mark.parametrize("why", ["urgent", "of no use by then", "the setting"])
def test_send_leaves_at_once_where_there_is_no_time_to_undo(
    draft: int, why: str, settings_for: Callable[..., Settings]
) -> None:
    with write_session() as session:
        made = session.get_one(Announcement, draft)
        made.urgent = why == "urgent"
        made.useful_until = NOW + timedelta(seconds=5) if why == "of no use by then" else None
    if why == "the setting":
        settings_for(undo_seconds=0)
    with write_session() as session:
        assert scheduling.send(session, draft, None, NOW).state is AnnouncementState.UNDER_WAY
    assert deliveries() == 2
