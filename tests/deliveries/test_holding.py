"""Whoever must not be disturbed when their turn comes gets their message later, and gets it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from config.settings import Settings
from hub.db import read_session, write_session
from hub.deliveries import sending, service, starting
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState
from hub.participants.models import Participant
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

EVENING = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
NIGHT = {"quiet_from": time(21), "quiet_until": time(8)}


def launch(now: datetime = NOW, **more: object) -> int:
    with write_session() as session:
        made = announcement(session, **more)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
        return made.id


def send_all(now: datetime, window: int = 500) -> list[str]:
    """What a worker would send at a moment, by name, in order."""
    sent: list[str] = []
    while True:
        with write_session() as session:
            batch = sending.lease_batch(session, "text", "worker", now)
        if batch is None:
            return sent
        while not batch.used_up:
            with write_session() as session:
                starts = starting.start(session, batch, window, now)
                assert starts is not None
                record(session, [Result(each.delivery_id, DeliveryState.SENT) for each in starts], now)
            sent += [each.first_name for each in starts]
        with write_session() as session:
            sending.finish(session, batch)


def due() -> dict[str, datetime | None]:
    with read_session() as session:
        found = session.execute(
            select(Participant.first_name, Delivery.due_at)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Delivery.live, Delivery.state == DeliveryState.PLANNED)
        )
        return {name: moment and moment.replace(microsecond=0) for name, moment in found}


@pytest.mark.parametrize("window", [1, 2, 500])
def test_a_send_that_lasts_into_quiet_hours_waits_for_their_end(window: int) -> None:
    with write_session() as session:
        for name in ("Ann", "Bob", "Cai", "Dee"):
            somebody(session, name, "text", **(NIGHT if name in {"Ann", "Cai", "Dee"} else {}))
    launch(NOW)
    assert send_all(EVENING, window) == ["Bob"]
    morning = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert due() == {"Ann": morning, "Cai": morning, "Dee": morning}
    assert send_all(EVENING, window) == []
    assert sorted(send_all(morning + timedelta(minutes=1), window)) == ["Ann", "Cai", "Dee"]
    assert send_all(morning + timedelta(hours=1), window) == []


def test_people_held_at_planning_and_people_held_at_sending_are_each_sent_once() -> None:
    with write_session() as session:
        for number in range(6):
            later = {"quiet_from": time(21, 30 + number % 2 * 15), "quiet_until": time(8)}
            somebody(session, f"Person {number}", "text", **later)
    launch(EVENING)  # half of them are in their quiet hours already
    assert send_all(EVENING + timedelta(minutes=20), 2) == []
    morning = datetime(2026, 11, 23, 8, 1, tzinfo=UTC)
    assert sorted(send_all(morning, 2)) == [f"Person {number}" for number in range(6)]
    assert send_all(morning, 2) == []


def test_batches_of_held_deliveries_cover_nobody_twice() -> None:
    with write_session() as session:
        for number in range(9):
            somebody(session, f"Person {number}", "text", **NIGHT)
    launch(NOW)
    send_all(EVENING, 2)
    with read_session() as session:
        waiting = session.scalars(select(Batch).where(Batch.state == "waiting")).all()
        covered = [session.scalars(select(Delivery.id).where(sending.covered_by(batch))).all() for batch in waiting]
        everybody = session.scalars(select(Delivery.id)).all()
    assert sorted(key for ids in covered for key in ids) == sorted(everybody)


def test_an_end_of_quiet_hours_follows_the_clocks_of_the_persons_own_zone() -> None:
    before_the_change = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # in the night after it, clocks go forward
    with write_session() as session:
        somebody(session, "Ann", "text", time_zone="Europe/London", **NIGHT)
        somebody(session, "Bob", "text", time_zone="America/New_York", quiet_from=time(18), quiet_until=time(8))
    launch(before_the_change - timedelta(hours=10))
    assert send_all(before_the_change) == []
    assert due() == {
        "Ann": datetime(2026, 3, 29, 7, tzinfo=UTC),
        "Bob": datetime(2026, 3, 29, 12, tzinfo=UTC),
    }


def test_what_is_urgent_does_not_wait() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", **NIGHT)
    launch(NOW, urgent=True)
    assert send_all(EVENING) == ["Ann"]


# --- The most messages in a day -------------------------------------------------------------------------------


def test_nobody_gets_more_messages_in_a_day_than_the_group_allows(settings_for: Callable[..., Settings]) -> None:
    settings_for(messages_per_day=2)
    with write_session() as session:
        somebody(session, "Ann", "text")
    for _ in range(2):
        launch()
        assert send_all(NOW) == ["Ann"]
    launch()
    assert send_all(NOW) == []
    assert due() == {"Ann": datetime(2026, 11, 23, 9, tzinfo=UTC)}
    launch(urgent=True)
    assert send_all(NOW) == ["Ann"]
    assert send_all(datetime(2026, 11, 23, 9, 1, tzinfo=UTC)) == ["Ann"]


def test_urgent_and_failed_messages_do_not_count(settings_for: Callable[..., Settings]) -> None:
    settings_for(messages_per_day=1)
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch(urgent=True)
    assert send_all(NOW) == ["Ann"]
    launch()
    assert send_all(NOW) == ["Ann"]
    launch()
    assert send_all(NOW) == []


def test_any_number_may_be_sent_where_the_group_says_so(settings_for: Callable[..., Settings]) -> None:
    settings_for(messages_per_day=0)
    with write_session() as session:
        somebody(session, "Ann", "text")
    for _ in range(3):
        launch()
        assert send_all(NOW) == ["Ann"]
