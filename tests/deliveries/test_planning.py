"""Who gets an announcement how, and that the dry run says the same as the launch does."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from sqlalchemy import Engine, select

from hub.db import read_session, write_session
from hub.deliveries import planning, service
from hub.deliveries.checking import choices
from hub.deliveries.models import Batch, Delivery
from hub.deliveries.queries import people_in, reach
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.deliveries.service import AlreadySent, HasProblems, NotChecked
from tests.deliveries.people import NOW, announcement, contact_point, own_order, somebody, topic

pytestmark = pytest.mark.usefixtures("database")


def launched(**more: object) -> dict[str, tuple[str, str, str]]:
    """Check and launch an announcement; each person's channel, state and reason, by first name."""
    with write_session() as session:
        made = announcement(session, **more)
        found = service.check(session, made.id, NOW)
        predicted = {choice.full_name: (choice.channel, choice.why) for choice in choices(session, made.id, NOW).items}
        service.launch(session, made.id, by=None, now=NOW)
        rows = people_in(session, made.id).items
        account = reach(session, made.id)
    assert {row.full_name: (row.channel, row.why) for row in rows} == predicted
    assert account.adds_up
    assert account.audience == found.audience == len(rows)
    return {row.full_name: (row.channel, row.state.value, row.why.value) for row in rows}


def test_everyone_is_reached_by_the_first_way_in_their_own_order() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text", "email")
        somebody(session, "Bob", "phone")
        somebody(session, "Cai", "social", "text")
    assert launched() == {
        "Ann": ("text", "planned", ""),
        "Bob": ("phone", "planned", ""),
        "Cai": ("social", "planned", ""),
    }


def test_whoever_cannot_or_does_not_want_to_be_reached_is_in_the_account_with_the_reason() -> None:
    with write_session() as session:
        somebody(session, "Nothing")
        somebody(session, "Paused", "text", paused_until=NOW + timedelta(days=1))
        somebody(session, "Pause over", "text", paused_until=NOW - timedelta(days=1))
        contact_point(session, somebody(session, "Stopped"), "text", 1, "opted_out")
        contact_point(session, somebody(session, "Bad"), "email", 1, "bad")
        contact_point(session, somebody(session, "Not agreed"), "email", None)
        own_order(session, somebody(session, "Other topics", "email"), topic(session))
    assert launched() == {
        "Nothing": ("", "unreachable", "no_contact_point"),
        "Paused": ("", "declined", "paused"),
        "Pause over": ("text", "planned", ""),
        "Stopped": ("", "declined", "opted_out"),
        "Bad": ("", "unreachable", "all_bad"),
        "Not agreed": ("", "unreachable", "not_agreed"),
        "Other topics": ("", "declined", "topic_declined"),
    }


def test_a_bad_or_opted_out_rung_is_passed_over() -> None:
    with write_session() as session:
        ann = somebody(session, "Ann")
        contact_point(session, ann, "text", 1, "opted_out")
        contact_point(session, ann, "email", 2, "bad")
        contact_point(session, ann, "phone", 3)
    assert launched() == {"Ann": ("phone", "planned", "")}


def test_an_own_order_for_the_topic_replaces_the_general_one() -> None:
    with write_session() as session:
        ann, bob = somebody(session, "Ann", "email", "text"), somebody(session, "Bob", "email", "text")
        own_order(session, ann, topic(session), ann.contact_points[1])
        own_order(session, bob, topic(session, "News"), bob.contact_points[1])
        cai = somebody(session, "Cai", "email")
        own_order(session, cai, topic(session), contact_point(session, cai, "text", None, "bad"))
    assert launched() == {
        "Ann": ("text", "planned", ""),
        "Bob": ("email", "planned", ""),
        "Cai": ("", "unreachable", "not_agreed"),
    }


def test_a_channel_without_a_text_is_no_rung() -> None:
    with write_session() as session:
        somebody(session, "Ann", "social", "email")
        somebody(session, "Bob", "social")
    assert launched(bodies={"email": "Hello"}) == {
        "Ann": ("email", "planned", ""),
        "Bob": ("", "unreachable", "not_agreed"),
    }


def test_what_is_said_of_a_person_outweighs_what_is_said_of_their_groups() -> None:
    with write_session() as session:
        somebody(session, "In", "text", groups=["Carers"])
        somebody(session, "Out by group", "text", groups=["Carers", "Tenants"])
        wanted = somebody(session, "In by name", "text", groups=["Tenants"])
        unwanted = somebody(session, "Out by name", "text", groups=["Carers"])
        somebody(session, "Elsewhere", "text", groups=["Parents"])
        somebody(session, "Left", "text", groups=["Carers"], archived_at=NOW)
        session.flush()
    got = launched(groups=["Carers"], without_groups=["Tenants"], people=[wanted], without_people=[unwanted])
    assert set(got) == {"In", "In by name"}


def test_quiet_hours_hold_a_message_until_they_end_and_leave_calls_to_the_caller() -> None:
    quiet = {"quiet_from": time(11), "quiet_until": time(15)}
    with write_session() as session:
        somebody(session, "Quiet", "text", **quiet)
        somebody(session, "Elsewhere", "text", time_zone="Asia/Tokyo", **quiet)
        somebody(session, "Called", "phone", **quiet)
        made = announcement(session)
        found = service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        rows = {row.full_name: row.due_at for row in people_in(session, made.id).items}
        due = session.scalars(select(Batch.due_at).where(Batch.channel == "text")).all()
    assert found.held == 1
    assert rows == {"Quiet": NOW + timedelta(hours=3), "Elsewhere": None, "Called": None}
    assert set(due) == {None, NOW + timedelta(hours=3)}


def test_an_urgent_announcement_is_not_held_for_quiet_hours() -> None:
    with write_session() as session:
        somebody(session, "Quiet", "text", quiet_from=time(11), quiet_until=time(15))
        made = announcement(session, urgent=True)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        assert [row.due_at for row in people_in(session, made.id).items] == [None]


def test_only_what_was_checked_can_be_launched_and_only_once() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session)
        with pytest.raises(NotChecked):
            service.launch(session, made.id, by=None, now=NOW)
        service.check(session, made.id, NOW)
        made.revision += 1
        with pytest.raises(NotChecked):
            service.launch(session, made.id, by=None, now=NOW)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        with pytest.raises(AlreadySent):
            service.launch(session, made.id, by=None, now=NOW)


@pytest.mark.parametrize(
    ("bodies", "says"),
    [
        ({"text": "Hello ((nmae))"}, "((nmae))"),
        ({"text": "x" * 1601}, "too long"),
        ({}, "Nothing is written"),
        ({"email": "Hello"}, "Nobody would be sent"),
        ({"text": "Hello ((last name))"}, "1 person has nothing to put in for ((last name))"),
        ({"text": "Hi", "social": "Hello ((name))"}, "public post uses a person’s name"),
    ],
)
def test_what_is_wrong_with_an_announcement_stops_it(bodies: dict[str, str], says: str) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session, bodies=bodies)
        found = service.check(session, made.id, NOW)
        assert says in " ".join(found.problems)
        with pytest.raises(HasProblems):
            service.launch(session, made.id, by=None, now=NOW)


def test_the_dry_run_counts_parts_cost_formats_and_languages_per_person() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        somebody(session, "Ŵyn", "text", language="cy")  # ŵ is not in GSM-7: 70 characters a part, not 160
        somebody(session, "Bob", "email", formats=["easy_read", "large_print"])
        made = announcement(session, bodies={"text": "((name)) " + "x" * 80, "email": "Hello"})
        found = service.check(session, made.id, NOW)
    assert found.text_parts == 1 + 2
    assert str(found.text_cost) == "0.13"
    assert found.missing_formats == [("easy_read", 1)]
    assert found.missing_languages == [("cy", 1)]
    assert found.by_channel == [("email", 1), ("text", 2)]


def test_people_are_planned_in_slices_that_can_be_interrupted_and_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "FIRST_SLICE", 2)
    monkeypatch.setattr(planning, "SLICE", 3)
    with write_session() as session:
        for number in range(9):
            somebody(session, f"Person {number}", "text")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        assert reach(session, made.id).planning
        assert reach(session, made.id).audience == 2
    rounds = 0
    more = True
    while more:
        with write_session() as session:
            more = planning.plan_slice(session, made.id, NOW)
        rounds += 1
    assert rounds == 3
    with write_session() as session:
        assert not planning.plan_slice(session, made.id, NOW)
        assert reach(session, made.id).audience == 9
        assert not reach(session, made.id).planning


def test_every_planned_delivery_is_in_exactly_one_batch() -> None:
    with write_session() as session:
        for number in range(40):
            quiet = {"quiet_from": time(11), "quiet_until": time(13 + number % 2)} if number % 5 == 0 else {}
            somebody(session, f"Person {number}", ("text", "email", "phone")[number % 3], **quiet)
        for _ in range(2):
            made = announcement(session)
            service.check(session, made.id, NOW)
            service.launch(session, made.id, by=None, now=NOW)
    with read_session() as session:
        deliveries = session.scalars(select(Delivery).where(Delivery.state == DeliveryState.PLANNED)).all()
        batches = session.scalars(select(Batch)).all()
    for delivery in deliveries:
        covering = [
            batch
            for batch in batches
            if batch.first_delivery_id <= delivery.id <= batch.last_delivery_id
            and (batch.announcement_id, batch.channel, batch.due_at)
            == (delivery.announcement_id, delivery.channel, delivery.due_at)
        ]
        assert len(covering) == 1
    assert sum(batch.size for batch in batches) == len(deliveries) == 80


def test_a_second_live_delivery_for_the_same_person_is_impossible(database: Engine) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
    with write_session() as session:
        assert not planning.plan_slice(session, made.id, NOW)
    with read_session() as session:
        assert len(session.scalars(select(Delivery)).all()) == 1
    with database.connect() as connection, pytest.raises(Exception, match=r"(?i)unique"):
        connection.exec_driver_sql(
            "INSERT INTO deliveries"
            " (announcement_id, participant_id, channel, rung, attempt, state, why, live, state_at)"
            " SELECT announcement_id, participant_id, channel, rung, 2, state, why, live, state_at FROM deliveries"
        )


def test_the_people_behind_a_number_are_as_many_as_the_number() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        somebody(session, "Bob", "phone")
        somebody(session, "Cai", "phone", paused_until=NOW + timedelta(days=3))
        somebody(session, "Dee")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        account = reach(session, made.id)
        for place in Reach:
            assert people_in(session, made.id, place=place).total == account.places[place]
        assert [row.full_name for row in people_in(session, made.id, why=Why.PAUSED).items] == ["Cai"]
        assert people_in(session, made.id, search="ann").total == 0  # search_text is kept by the service
