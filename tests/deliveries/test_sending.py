"""Leasing batches, starting deliveries and recording what became of them: also after a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, literal, select, update

from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, write_session
from hub.deliveries import recording, sending, service, starting
from hub.deliveries.leases import sweep_lost_leases
from hub.deliveries.models import Batch, BatchState, Delivery, FollowUp
from hub.deliveries.queries import people_in, reach
from hub.deliveries.recording import Result
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.deliveries.sending import LeasedBatch
from hub.deliveries.stopping import resume_channel, stop_channel
from hub.participants.models import ContactPoint, ContactPointState, Participant, Topic, TopicPreference
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

NOTHING_ABOUT_THE_TOPIC = insert(TopicPreference).from_select(
    ["participant_id", "topic_id", "rank"], select(Participant.id, Topic.id, literal(0)).join(Topic, literal(True))
)


@pytest.fixture
def launched() -> int:
    """An announcement under way to five people by text."""
    with write_session() as session:
        for name in ("Ann", "Bob", "Cai", "Dee", "Eve"):
            somebody(session, name, "text", "email")
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def lease(holder: str = "worker-1") -> LeasedBatch | None:
    with write_session() as session:
        return sending.lease_batch(session, "text", holder, NOW)


def start(batch: LeasedBatch, count: int = 10) -> list[str] | None:
    with write_session() as session:
        started = starting.start(session, batch, count, NOW)
    return None if started is None else [each.first_name for each in started]


def record(*results: Result) -> None:
    with write_session() as session:
        recording.record(session, results, NOW)


def states() -> dict[str, tuple[str, str]]:
    with read_session() as session:
        found = session.execute(
            select(Participant.first_name, Delivery.state, Delivery.why)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Delivery.live)
        )
        return {name: (state.value, why.value) for name, state, why in found}


def delivery_of(name: str) -> int:
    with read_session() as session:
        return session.scalars(
            select(Delivery.id)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Participant.first_name == name, Delivery.live)
        ).one()


def test_a_batch_is_leased_to_one_worker_at_a_time(launched: int) -> None:
    assert lease() is not None
    assert lease("worker-2") is None


def test_deliveries_are_started_in_windows_until_the_batch_is_used_up(launched: int) -> None:
    batch = lease()
    assert batch is not None
    assert start(batch, 2) == ["Ann", "Bob"]
    assert start(batch, 2) == ["Cai", "Dee"]
    assert not batch.used_up
    assert start(batch, 2) == ["Eve"]
    assert batch.used_up


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        (update(ContactPoint).values(state=ContactPointState.OPTED_OUT), "failed", "opted_out"),
        (update(ContactPoint).values(state=ContactPointState.BAD), "failed", "contact_point_is_bad"),
        (update(ContactPoint).values(rank=None), "failed", "not_agreed"),
        (NOTHING_ABOUT_THE_TOPIC, "declined", "topic_declined"),
        (update(Participant).values(paused_until=NOW + timedelta(days=1)), "declined", "paused"),
        (update(Participant).values(archived_at=NOW), "declined", "paused"),
        (update(Announcement).values(useful_until=NOW), "expired", "not_useful_any_more"),
    ],
)
def test_what_has_changed_since_planning_counts_in_the_statement_that_takes_the_rows(
    launched: int, change: object, state: str, why: str
) -> None:
    batch = lease()
    assert batch is not None
    assert start(batch, 1) == ["Ann"]
    with write_session() as session:
        session.execute(change)  # type: ignore[call-overload]
    assert start(batch) == []
    assert batch.used_up
    assert states() == {"Ann": ("planned", ""), **dict.fromkeys(("Bob", "Cai", "Dee", "Eve"), (state, why))}


@pytest.mark.parametrize("state", [AnnouncementState.PAUSED, AnnouncementState.CANCELLED])
def test_nothing_is_started_of_an_announcement_that_is_not_under_way(launched: int, state: AnnouncementState) -> None:
    batch = lease()
    assert batch is not None
    with write_session() as session:
        session.execute(update(Announcement).values(state=state))
    assert start(batch) is None
    assert lease("worker-2") is None


def test_a_worker_that_lost_its_lease_starts_nothing(launched: int) -> None:
    batch = lease()
    assert batch is not None
    with write_session() as session:
        assert sweep_lost_leases(session, NOW + sending.lease_time() + timedelta(seconds=1)) == 1
    assert lease("worker-2") is not None
    assert start(batch) is None


def test_after_a_crash_only_what_was_started_and_not_recorded_is_uncertain(launched: int) -> None:
    batch = lease()
    assert batch is not None
    start(batch, 3)
    record(Result(delivery_of("Ann"), DeliveryState.SENT, provider_id="SM1"))
    with write_session() as session:
        sweep_lost_leases(session, NOW + sending.lease_time() + timedelta(seconds=1))
    assert states() == {
        "Ann": ("sent", ""),
        "Bob": ("uncertain", ""),
        "Cai": ("uncertain", ""),
        "Dee": ("planned", ""),
        "Eve": ("planned", ""),
    }
    again = lease("worker-2")
    assert again is not None
    assert start(again) == ["Dee", "Eve"]


def test_a_batch_that_is_given_back_goes_on_with_what_was_not_taken(launched: int) -> None:
    batch = lease()
    assert batch is not None
    start(batch)
    record(Result(delivery_of("Ann"), DeliveryState.SENT), Result(delivery_of("Cai"), DeliveryState.SENT))
    with write_session() as session:
        assert sending.give_back(session, batch, hold_until=NOW + timedelta(seconds=30)) == 1
    assert lease("worker-2") is None
    with write_session() as session:
        again = sending.lease_batch(session, "text", "worker-2", NOW + timedelta(seconds=31))
    assert again is not None
    assert start(again) == ["Bob", "Dee", "Eve"]


def test_a_receipt_that_overtook_the_record_keeps_its_state(launched: int) -> None:
    batch = lease()
    assert batch is not None
    start(batch, 1)
    with write_session() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery_of("Ann")).values(state=DeliveryState.DELIVERED))
    record(Result(delivery_of("Ann"), DeliveryState.SENT, provider_id="SM1"))
    with read_session() as session:
        ann = session.get_one(Delivery, delivery_of("Ann"))
        assert (ann.state, ann.provider_id) == (DeliveryState.DELIVERED, "SM1")


def test_failed_deliveries_are_put_down_for_their_next_step_once(launched: int) -> None:
    batch = lease()
    assert batch is not None
    start(batch)
    failed = Result(delivery_of("Ann"), DeliveryState.FAILED, Why.NOT_DELIVERED, code="30003")
    record(failed, Result(delivery_of("Bob"), DeliveryState.SENT))
    record(failed)
    with read_session() as session:
        assert session.scalars(select(FollowUp.delivery_id)).all() == [delivery_of("Ann")]


def test_urgent_batches_are_leased_first(launched: int) -> None:
    with write_session() as session:
        urgent = announcement(session, urgent=True)
        service.check(session, urgent.id, NOW)
        service.launch(session, urgent.id, by=None, now=NOW)
    batch = lease()
    assert batch is not None
    assert batch.announcement_id == urgent.id


def test_a_stopped_channel_leases_nothing_until_it_is_tried_again(launched: int) -> None:
    with write_session() as session:
        stop_channel(session, "text", "20003", "Twilio refuses the account’s credentials.", NOW)
    assert lease() is None
    with write_session() as session:
        assert session.scalar(sending.waiting_batches("text", NOW)) is None
        resume_channel(session, "text")
        assert session.scalar(sending.waiting_batches("text", NOW)) is not None
    assert lease() is not None


def test_pause_resume_and_cancel_keep_the_account_whole(launched: int) -> None:
    with write_session() as session:
        service.pause(session, launched)
    assert lease() is None
    with write_session() as session:
        service.resume(session, launched)
    batch = lease()
    assert batch is not None
    start(batch, 2)
    record(Result(delivery_of("Ann"), DeliveryState.SENT))
    with write_session() as session:
        service.cancel(session, launched, NOW)
    # Bob is in the provider's hands, and only he is not known to be unsent.
    assert states() == {
        "Ann": ("sent", ""),
        "Bob": ("planned", ""),
        **dict.fromkeys(("Cai", "Dee", "Eve"), ("cancelled", "announcement_cancelled")),
    }
    record(Result(delivery_of("Bob"), DeliveryState.DELIVERED), Result(delivery_of("Ann"), DeliveryState.DELIVERED))
    with write_session() as session:
        session.execute(update(Delivery).where(Delivery.state == "sent").values(state=DeliveryState.DELIVERED))
        sending.finish(session, batch)
        assert service.close_finished(session, NOW) == [launched]
        account = reach(session, launched)
        assert account.adds_up
        assert account.places[Reach.NOT_REACHED] == 3
        assert session.scalars(select(Batch)).all() == []


def test_an_announcement_closes_when_nothing_is_on_its_way_or_waiting(launched: int) -> None:
    batch = lease()
    assert batch is not None
    start(batch)
    with write_session() as session:
        assert service.close_finished(session, NOW) == []
        session.execute(update(Delivery).values(state=DeliveryState.DELIVERED))
        sending.finish(session, batch)
        assert session.scalars(select(Batch.state).where(Batch.channel == "text")).all() == [BatchState.DONE]
        assert service.close_finished(session, NOW) == [launched]
        assert session.get_one(Announcement, launched).state == AnnouncementState.CLOSED
        assert people_in(session, launched, place=Reach.REACHED).total == 5


def test_a_batch_that_made_progress_does_not_use_up_its_tries(launched: int) -> None:
    failures: list[int] = []
    for name in ("Ann", "Bob", None):
        with write_session() as session:
            batch = sending.lease_batch(session, "text", "worker", NOW + timedelta(hours=len(failures)))
        assert batch is not None
        start(batch)
        if name:
            record(Result(delivery_of(name), DeliveryState.SENT))
        with write_session() as session:
            failures.append(sending.give_back(session, batch, hold_until=NOW))
    assert failures == [1, 1, 2]
