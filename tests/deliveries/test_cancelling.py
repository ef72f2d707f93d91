"""Cancelling while people are being planned, and while their messages are being sent."""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import select

from hub.announcements.models import Announcement
from hub.db import read_session, write_session
from hub.deliveries import planning, sending, service, starting
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.queries import reach
from hub.deliveries.rules import DeliveryState, Reach
from hub.deliveries.sending import Start
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")


def launch() -> int:
    with write_session() as session:
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def test_nothing_is_started_that_is_being_cancelled_at_the_same_moment() -> None:
    with write_session() as session:
        for name in ("Ann", "Bob"):
            somebody(session, name, "text")
    announcement_id = launch()
    with write_session() as session:
        batch = sending.lease_batch(session, "text", "worker-1", NOW)
    assert batch is not None
    started: list[list[Start] | None] = []

    def start() -> None:
        with write_session() as session:
            started.append(starting.start(session, batch, 10, NOW))

    worker = Thread(target=start)
    with write_session() as session:
        service.cancel(session, announcement_id, NOW)
        worker.start()
        worker.join(0.3)  # it has every chance to go on, and must wait
    worker.join()
    assert started == [None]
    with read_session() as session:
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.CANCELLED}


def test_people_who_were_not_planned_yet_when_it_was_cancelled_are_in_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "FIRST_SLICE", 2)
    with write_session() as session:
        for name in ("Ann", "Bob", "Cai"):
            somebody(session, name, "text", "email")
        somebody(session, "Dee")
    announcement_id = launch()
    with write_session() as session:
        service.cancel(session, announcement_id, NOW)
        assert reach(session, announcement_id).planning
        assert service.close_finished(session, NOW) == []
    with write_session() as session:
        assert not planning.plan_slice(session, announcement_id, NOW)
    with write_session() as session:
        assert service.close_finished(session, NOW) == [announcement_id]
        account = reach(session, announcement_id)
        assert account.adds_up
        assert not account.planning
        assert (account.audience, account.places[Reach.NOT_REACHED]) == (4, 4)
        assert [each.why for each in session.scalars(select(Delivery).order_by(Delivery.participant_id))] == [
            "announcement_cancelled",
            "announcement_cancelled",
            "announcement_cancelled",
            "no_contact_point",
        ]
        assert session.scalars(select(Batch)).all() == []
        assert session.get_one(Announcement, announcement_id).planned_at == NOW
