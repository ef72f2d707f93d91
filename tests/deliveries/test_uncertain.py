"""What nobody knows is settled by reports, by asking the provider, and in the end by a person's choice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.db import read_session, write_session
from hub.deliveries import sending, service, starting, uncertain
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.leases import sweep_lost_leases
from hub.deliveries.models import Delivery, Receipt, UncertainDelivery
from hub.deliveries.queries import reach
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Reach, Why
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

SOON = NOW + timedelta(seconds=31)
LATER = NOW + timedelta(hours=1, seconds=1)


@pytest.fixture
def launched(database: object) -> int:
    """An announcement by text to two people whose messages may or may not have been taken."""
    assert database
    with write_session() as session:
        for name in ("Ann", "Bob"):
            somebody(session, name, "text", "email")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        ids = session.scalars(select(Delivery.id)).all()
        record(session, [Result(key, DeliveryState.UNCERTAIN) for key in ids], NOW)
        return made.id


def live() -> list[tuple[str, str, str, int]]:
    with read_session() as session:
        found = session.scalars(select(Delivery).where(Delivery.live).order_by(Delivery.participant_id))
        return [(each.channel, each.state.value, each.why.value, each.attempt) for each in found]


def decide_in_time() -> None:
    with write_session() as session:
        uncertain.put_before_organisers(session, LATER)


@pytest.mark.usefixtures("launched")
def test_a_provider_is_asked_after_a_while_and_then_less_and_less_often() -> None:
    with write_session() as session:
        assert uncertain.questions(session, "text", NOW) == []
        assert not uncertain.is_due(session, "email", SOON)
        assert [each.start.first_name for each in uncertain.questions(session, "text", SOON)] == ["Ann", "Bob"]
        assert uncertain.questions(session, "text", SOON) == []
        again = SOON + timedelta(seconds=31)
        questions = uncertain.questions(session, "text", again)
        assert len(questions) == 2
        for question in questions:
            uncertain.asked(session, question, again)
        assert uncertain.questions(session, "text", again + timedelta(seconds=31)) == []
        assert len(uncertain.questions(session, "text", again + (again - NOW))) == 2


def test_a_report_settles_a_delivery_and_nobody_is_asked_any_more(launched: int) -> None:
    with write_session() as session:
        for delivery_id in session.scalars(select(Delivery.id)).all():
            event = {"provider": "twilio", "event_id": f"SM{delivery_id}:delivered", "delivery_id": delivery_id}
            session.add(Receipt(**event, state=DeliveryState.DELIVERED, happened_at=NOW, received_at=NOW))
        session.flush()
        apply_receipts(session, NOW)
        assert uncertain.questions(session, "text", SOON) == []
        uncertain.put_before_organisers(session, SOON)
        assert session.scalars(select(UncertainDelivery)).all() == []
        assert reach(session, launched).places[Reach.REACHED] == 2


def test_what_is_not_settled_in_time_waits_for_an_organiser(launched: int) -> None:
    with write_session() as session:
        uncertain.put_before_organisers(session, NOW + timedelta(minutes=59))
        assert uncertain.count_waiting_for_a_person(session) == 0
    decide_in_time()
    with read_session() as session:
        people = uncertain.waiting_for_a_person(session, launched)
        assert [(each.full_name, each.channel) for each in people] == [("Ann", "text"), ("Bob", "text")]
        assert uncertain.count_waiting_for_a_person(session, launched + 1) == 0
        assert uncertain.questions(session, "text", LATER) == []


def test_an_organiser_has_it_sent_again_by_the_same_way(launched: int) -> None:
    decide_in_time()
    with write_session() as session:
        assert uncertain.send_again(session, launched, None, LATER) == 2
        take_next_steps(session, LATER)
        assert uncertain.count_waiting_for_a_person(session) == 0
    assert live() == [("text", "planned", "", 2)] * 2


def test_an_organiser_leaves_it_and_the_people_count_as_not_reached(launched: int) -> None:
    decide_in_time()
    with write_session() as session:
        first = uncertain.waiting_for_a_person(session)[0].delivery_id
        assert uncertain.leave(session, launched, [first], LATER) == 1
        assert uncertain.leave(session, launched, [first], LATER) == 0
    assert live() == [("text", "unreachable", "maybe_sent", 1), ("text", "uncertain", "", 1)]
    with read_session() as session:
        assert reach(session, launched).places[Reach.NOT_REACHED] == 1


def test_a_decision_is_for_one_announcement_and_for_what_waits(launched: int) -> None:
    with write_session() as session:
        assert uncertain.send_again(session, launched, None, NOW) == 0
    decide_in_time()
    with write_session() as session:
        assert uncertain.send_again(session, launched + 1, None, LATER) == 0
        assert uncertain.leave(session, launched, [], LATER) == 0
    assert [row[1] for row in live()] == ["uncertain", "uncertain"]


def test_what_never_leaves_is_not_tried_for_ever(launched: int) -> None:
    attempts = []
    for _ in range(4):
        attempts.append(live()[0][:1] + live()[0][3:])
        with write_session() as session:
            ids = session.scalars(select(Delivery.id).where(Delivery.live)).all()
            record(session, [Result(key, DeliveryState.FAILED, Why.NOT_SENT) for key in ids], NOW)
            take_next_steps(session, NOW)
    assert attempts == [("text", 1), ("text", 2), ("text", 3), ("text", 4)]
    assert live()[0][0] == "email"
    with read_session() as session:
        assert reach(session, launched).adds_up


def test_what_a_dead_worker_had_started_is_asked_about() -> None:
    with write_session() as session:
        for name in ("Ann", "Bob", "Cai"):
            somebody(session, name, "text")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
    with write_session() as session:
        batch = sending.lease_batch(session, "text", "dead", NOW)
        assert batch is not None
        starting.start(session, batch, 2, NOW)
    dead = NOW + sending.lease_time() + timedelta(seconds=1)
    with write_session() as session:
        sweep_lost_leases(session, dead)
    with write_session() as session:
        asked = uncertain.questions(session, "text", dead + timedelta(seconds=31))
    assert [each.start.first_name for each in asked] == ["Ann", "Bob"]
