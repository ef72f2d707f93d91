"""What is tried again before somebody's next way, and what silence after something urgent means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from config.settings import Settings
from hub.conversations.models import ReplyKind
from hub.conversations.service import Incoming, receive
from hub.db import read_session, write_session
from hub.deliveries import service
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.queries import reach
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.deliveries.silence import note_silence
from hub.participants.models import ContactPoint, Participant
from hub.participants.service import mark_bad
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

HOUR = timedelta(hours=1)


def launch(**more: object) -> int:
    with write_session() as session:
        made = announcement(session, **more)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def live(name: str) -> Delivery:
    with read_session() as session:
        return session.scalars(
            select(Delivery)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Participant.first_name == name, Delivery.live)
        ).one()


def becomes(name: str, state: DeliveryState, why: Why = Why.NONE, now: datetime = NOW) -> None:
    with write_session() as session:
        record(session, [Result(live(name).id, state, why)], now)


def fails(name: str, why: Why, now: datetime = NOW) -> Delivery:
    """Somebody's attempt fails, and the ladder takes its step; returns what is live then."""
    becomes(name, DeliveryState.FAILED, why, now)
    with write_session() as session:
        take_next_steps(session, now)
    return live(name)


def test_a_phone_that_is_off_is_tried_twice_more_before_the_next_way() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch()
    second = fails("Ann", Why.NOT_NOW)
    assert (second.channel, second.attempt, second.state, second.due_at) == ("text", 2, "planned", NOW + HOUR)
    third = fails("Ann", Why.NOT_NOW, NOW + HOUR)
    assert (third.channel, third.attempt, third.due_at) == ("text", 3, NOW + 7 * HOUR)
    last = fails("Ann", Why.NOT_NOW, NOW + 7 * HOUR)
    assert (last.channel, last.attempt, last.due_at) == ("email", 1, None)


def test_each_retry_is_in_a_batch_that_waits_for_its_moment() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    again = fails("Ann", Why.NOT_NOW)
    with read_session() as session:
        batch = session.scalars(select(Batch).order_by(Batch.id.desc())).first()
    assert batch is not None
    assert (batch.first_delivery_id, batch.size, batch.due_at) == (again.id, 1, NOW + HOUR)


def test_a_group_chooses_how_often_a_phone_that_is_off_is_tried(settings_for: Callable[..., Settings]) -> None:
    settings_for(retry_minutes="5")
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch()
    assert fails("Ann", Why.NOT_NOW).due_at == NOW + timedelta(minutes=5)
    assert fails("Ann", Why.NOT_NOW).channel == "email"


@pytest.mark.parametrize("why", [Why.NOT_DELIVERED, Why.CONTENT, Why.PROVIDER_BUSY])
def test_what_would_fail_again_takes_the_next_way_at_once(why: Why) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch()
    assert fails("Ann", why).channel == "email"


def test_a_failure_that_nobody_explains_is_tried_once_more() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch()
    assert fails("Ann", Why.UNEXPLAINED).channel == "text"
    assert fails("Ann", Why.UNEXPLAINED).channel == "email"


def test_nobody_waits_for_a_phone_to_be_switched_on_when_it_is_urgent() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch(urgent=True)
    assert fails("Ann", Why.NOT_NOW).channel == "email"


def test_nobody_is_tried_again_once_it_is_of_no_use() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    launch(useful_until=NOW + HOUR / 2)
    assert fails("Ann", Why.NOT_NOW).channel == "email"


def test_a_contact_point_that_has_gone_bad_meanwhile_is_not_tried_again() -> None:
    with write_session() as session:
        ann = somebody(session, "Ann", "text", "email")
        point_id = ann.contact_points[0].id
    launch()
    with write_session() as session:
        mark_bad(session, [point_id], "No such number", NOW)
    assert fails("Ann", Why.NOT_NOW).channel == "email"


# --- Silence --------------------------------------------------------------------------------------------------


def hear(now: datetime) -> None:
    with write_session() as session:
        note_silence(session, now)
    with write_session() as session:
        take_next_steps(session, now)


def test_silence_after_something_urgent_takes_the_next_way_in_the_time_that_was_set() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "phone")
    launch(urgent=True, silence_minutes=30)
    becomes("Ann", DeliveryState.DELIVERED)
    hear(NOW + timedelta(minutes=29))
    assert live("Ann").channel == "text"
    hear(NOW + timedelta(minutes=30))
    assert (live("Ann").channel, live("Ann").state) == ("phone", "planned")
    with read_session() as session:
        assert session.scalars(select(Delivery.state).where(~Delivery.live)).one() is DeliveryState.DELIVERED


def test_whoever_has_no_other_way_stays_reached_by_what_was_delivered() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    announcement_id = launch(urgent=True, silence_minutes=30)
    becomes("Ann", DeliveryState.DELIVERED)
    with write_session() as session:
        assert service.close_finished(session, NOW) == []  # there may still be something to do for her
    hear(NOW + HOUR)
    assert live("Ann").state is DeliveryState.DELIVERED
    with write_session() as session:
        assert service.close_finished(session, NOW + HOUR) == [announcement_id]
        assert reach(session, announcement_id).places[Reach.REACHED] == 1


@pytest.mark.parametrize("more", [{"urgent": True}, {"urgent": False, "silence_minutes": 30}])
def test_silence_means_nothing_unless_the_organiser_says_so_for_something_urgent(more: dict[str, object]) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "phone")
    launch(**more)
    becomes("Ann", DeliveryState.DELIVERED)
    hear(NOW + 100 * HOUR)
    assert live("Ann").channel == "text"


def reply(name: str, kind: ReplyKind = ReplyKind.MESSAGE, *, is_trusted: bool = True) -> None:
    with write_session() as session:
        address = session.scalars(
            select(ContactPoint.address)
            .join(Participant, Participant.id == ContactPoint.participant_id)
            .where(Participant.first_name == name, ContactPoint.channel == "text")
        ).one()
        words = Incoming("twilio", f"SM{kind}", "text", address, "+447700900999", "I am safe", kind)
        receive(session, Incoming(**{**{f: getattr(words, f) for f in words.__slots__}, "is_trusted": is_trusted}), NOW)


def test_an_answer_to_one_channel_stops_the_others() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "phone")
    announcement_id = launch(urgent=True, silence_minutes=30)
    becomes("Ann", DeliveryState.DELIVERED)
    hear(NOW + HOUR)
    assert live("Ann").channel == "phone"
    reply("Ann")
    assert (live("Ann").state, live("Ann").why) == ("confirmed", "answered")
    with write_session() as session:
        session.execute(update(Batch).values(due_at=None))
        assert service.close_finished(session, NOW) == [announcement_id]


@pytest.mark.parametrize(
    ("kind", "is_trusted"), [(ReplyKind.AUTOMATIC, True), (ReplyKind.STOP, True), (ReplyKind.MESSAGE, False)]
)
def test_what_nobody_wrote_or_anybody_may_have_written_is_no_answer(kind: ReplyKind, is_trusted: bool) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "phone")
    launch()
    becomes("Ann", DeliveryState.DELIVERED)
    reply("Ann", kind, is_trusted=is_trusted)
    assert live("Ann").state is DeliveryState.DELIVERED


def test_an_announcement_that_has_ended_hears_no_silence() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "phone")
    announcement_id = launch(urgent=True, silence_minutes=30)
    becomes("Ann", DeliveryState.DELIVERED)
    with write_session() as session:
        service.cancel(session, announcement_id, NOW)
    hear(NOW + HOUR)
    assert live("Ann").channel == "text"
    with read_session() as session:
        assert reach(session, announcement_id).places[Reach.REACHED] == 1
