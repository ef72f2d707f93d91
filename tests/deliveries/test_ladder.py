"""Receipts, and what happens to people whose attempt failed."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, write_session
from hub.deliveries import service
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.models import Batch, Delivery, FollowUp, Receipt
from hub.deliveries.queries import reach, reach_by_channel
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.participants.models import ConsentEvent, ContactPoint, ContactPointState, Participant
from tests.deliveries.people import NOW, announcement, contact_point, somebody

pytestmark = pytest.mark.usefixtures("database")


def launch(**more: object) -> int:
    with write_session() as session:
        made = announcement(session, **more)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def attempts(name: str) -> list[tuple[str, int, str, str, bool]]:
    with read_session() as session:
        found = session.scalars(
            select(Delivery)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Participant.first_name == name)
            .order_by(Delivery.id)
        )
        return [(d.channel, d.rung, d.state.value, d.why.value, d.live) for d in found]


def fail(name: str, why: Why = Why.NOT_DELIVERED) -> None:
    with write_session() as session:
        delivery_id = session.scalars(
            select(Delivery.id)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Participant.first_name == name, Delivery.live)
        ).one()
        record(session, [Result(delivery_id, DeliveryState.FAILED, why)], NOW)


def step(now: object = NOW) -> int:
    with write_session() as session:
        return take_next_steps(session, now)  # type: ignore[arg-type]


def test_a_failed_rung_closes_and_the_next_usable_one_becomes_live() -> None:
    with write_session() as session:
        ann = somebody(session, "Ann", "text")
        contact_point(session, ann, "email", 2, "bad")
        contact_point(session, ann, "phone", 3)
    announcement_id = launch()
    fail("Ann")
    assert step() == 1
    assert attempts("Ann") == [
        ("text", 1, "failed", "not_delivered", False),
        ("phone", 3, "planned", "", True),
    ]
    with read_session() as session:
        assert session.scalars(select(FollowUp)).all() == []
        assert [batch.channel for batch in session.scalars(select(Batch).order_by(Batch.id))] == ["text", "phone"]
        assert reach(session, announcement_id).places[Reach.WAITING_FOR_CALL] == 1
        assert [(c.channel, c.planned, c.failed) for c in reach_by_channel(session, announcement_id)] == [
            ("text", 1, 1),
            ("phone", 1, 0),
        ]
    assert step() == 0


def test_the_next_rung_is_chosen_by_todays_preferences() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email", "phone")
    launch()
    with write_session() as session:
        session.execute(update(ContactPoint).where(ContactPoint.channel == "email").values(rank=None))
    fail("Ann")
    step()
    assert attempts("Ann")[-1] == ("phone", 3, "planned", "", True)


@pytest.mark.parametrize(
    ("why", "state"), [(Why.NOT_DELIVERED, "unreachable"), (Why.OPTED_OUT, "declined"), (Why.CONTENT, "unreachable")]
)
def test_when_no_rung_is_left_the_person_is_in_the_account_with_the_last_reason(why: Why, state: str) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    fail("Ann", why)
    step()
    assert attempts("Ann") == [("text", 1, state, why.value, True)]


def test_nobody_is_taken_up_the_ladder_once_the_message_is_useless_or_cancelled() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
    late = launch(useful_until=NOW + timedelta(hours=1))
    fail("Ann")
    step(NOW + timedelta(hours=2))
    assert attempts("Ann") == [("text", 1, "expired", "not_delivered", True)]
    with write_session() as session:
        session.execute(update(Announcement).where(Announcement.id == late).values(state=AnnouncementState.CLOSED))
    cancelled = launch()
    fail_only_planned()
    with write_session() as session:
        service.cancel(session, cancelled, NOW)
    step()
    assert attempts("Ann")[-1][2] == "cancelled"


def fail_only_planned() -> None:
    with write_session() as session:
        planned = session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.PLANNED)).all()
        record(session, [Result(key, DeliveryState.FAILED, Why.NOT_DELIVERED) for key in planned], NOW)


def receive(name: str, *states: str, **more: object) -> None:
    """Store receipts for a person's first delivery, one by one, and apply each at once."""
    for number, state in enumerate(states):
        with write_session() as session:
            delivery_id = session.scalars(
                select(Delivery.id)
                .join(Participant, Participant.id == Delivery.participant_id)
                .where(Participant.first_name == name)
                .order_by(Delivery.id)
            ).first()
            session.add(
                Receipt(
                    **{
                        "provider": "twilio",
                        "event_id": f"{name}:{state}:{number}:{len(states)}",
                        "delivery_id": delivery_id,
                        "provider_id": "SM1",
                        "state": DeliveryState(state),
                        "happened_at": NOW,
                        "received_at": NOW,
                        **more,
                    }
                )
            )
        with write_session() as session:
            assert apply_receipts(session, NOW) == 1


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "failed"])))
def test_receipts_end_in_the_same_state_whatever_their_order(order: tuple[str, ...]) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    receive("Ann", *order, order[0])
    assert attempts("Ann") == [("text", 1, "failed", "", True)]


def test_a_receipt_settles_an_uncertain_delivery_and_may_come_before_our_own_record() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        somebody(session, "Bob", "text")
    launch()
    with write_session() as session:
        session.execute(update(Delivery).where(Delivery.id == 1).values(state=DeliveryState.UNCERTAIN))
    receive("Ann", "delivered")
    receive("Bob", "delivered")
    with write_session() as session:
        ids = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
        record(session, [Result(key, DeliveryState.SENT, provider_id="SM2") for key in ids], NOW)
    assert attempts("Ann") == attempts("Bob") == [("text", 1, "delivered", "", True)]


def test_several_receipts_at_once_are_applied_as_if_one_by_one() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
        somebody(session, "Bob", "text")
    launch()
    with write_session() as session:
        ids = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
        for number, (key, state) in enumerate(
            [(ids[0], "failed"), (ids[0], "sent"), (ids[1], "delivered"), (ids[1], "sent"), (999_999, "sent")]
        ):
            session.add(
                Receipt(
                    provider="twilio",
                    event_id=str(number),
                    delivery_id=key,
                    state=DeliveryState(state),
                    why=Why.NOT_DELIVERED if state == "failed" else Why.NONE,
                    code="30003" if state == "failed" else "",
                    happened_at=NOW,
                    received_at=NOW,
                )
            )
    with write_session() as session:
        assert apply_receipts(session, NOW) == 5
        assert apply_receipts(session, NOW) == 0
    assert step() == 1
    assert attempts("Ann") == [("text", 1, "failed", "not_delivered", False), ("email", 2, "planned", "", True)]
    assert attempts("Bob") == [("text", 1, "delivered", "", True)]


def test_a_provider_that_reports_an_opt_out_stops_that_address_for_the_whole_household() -> None:
    with write_session() as session:
        ann, bob = somebody(session, "Ann", "text", "phone"), somebody(session, "Bob")
        number = ann.contact_points[0].address
        contact_point(session, bob, "text", 1, address=number)
    launch()
    receive("Ann", "failed", why=Why.OPTED_OUT, code="21610", opts_out=True)
    with read_session() as session:
        states = session.scalars(select(ContactPoint.state).where(ContactPoint.channel == "text")).all()
        assert states == [ContactPointState.OPTED_OUT, ContactPointState.OPTED_OUT]
        assert len(session.scalars(select(ConsentEvent)).all()) == 2
    step()
    assert attempts("Ann")[-1] == ("phone", 2, "planned", "", True)


def test_a_bounce_marks_the_contact_point_so_that_nothing_more_is_sent_to_it() -> None:
    with write_session() as session:
        somebody(session, "Ann", "email")
        somebody(session, "Bob", "email")
    launch()
    receive("Ann", "failed", why=Why.CONTACT_POINT_IS_BAD, code="5.1.1", provider="sendgrid")
    step()
    assert attempts("Ann") == [("email", 1, "unreachable", "contact_point_is_bad", True)]
    launch()
    assert attempts("Ann")[-1] == ("", 0, "unreachable", "all_bad", True)


@pytest.mark.parametrize(("ways", "state"), [(("email", "text"), "under_way"), (("email",), "closed")])
def test_what_comes_back_after_everything_was_delivered_is_taken_up_the_ladder(
    ways: tuple[str, ...], state: str
) -> None:
    with write_session() as session:
        somebody(session, "Ann", *ways)
    announcement_id = launch()
    receive("Ann", "delivered")
    with write_session() as session:
        assert service.close_finished(session, NOW) == [announcement_id]
    receive("Ann", "failed", why=Why.CONTACT_POINT_IS_BAD)
    step()
    came_back = ("email", 1, "unreachable", "contact_point_is_bad", True)
    assert attempts("Ann")[-1] == (("text", 2, "planned", "", True) if "text" in ways else came_back)
    with read_session() as session:
        found = session.get_one(Announcement, announcement_id)
        assert (found.state, found.closed_at is None) == (AnnouncementState(state), state == "under_way")
        assert reach(session, announcement_id).adds_up
