"""An announcement's whole way: planned, sent through the official SDKs over HTTP, reported back, accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import select

from config.channels import CHANNELS
from config.settings import Settings
from hub.calls.models import CallListRow
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.models import Batch, ChannelStop, Delivery, PublicPost
from hub.deliveries.queries import ReachAccount, reach, reach_by_channel
from hub.deliveries.rules import DeliveryState, Reach
from hub.participants.models import ContactPoint, ContactPointState
from tests.deliveries.people import announcement, contact_point, somebody
from tests.services.sandbox import Sandbox
from workers import clock, dispatcher, send
from workers.queue import connection, queue

PATIENCE_SECONDS = 30


def launch(**more: object) -> int:
    now = utc_now()
    with write_session() as session:
        made = announcement(session, **more)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
        return made.id


def work_until(announcement_id: int, done: Callable[[ReachAccount], bool]) -> ReachAccount:
    """Do by turns what the dispatcher, the workers and the clock do, until the account is as wanted."""
    chores = clock.chores()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        dispatcher.dispatch_once()
        for channel in CHANNELS:
            worker = SimpleWorker([queue(channel)], connection=connection(), serializer=JSONSerializer)
            worker.work(burst=True, logging_level="ERROR")
        clock.do_due(chores)
        with read_session() as session:
            account = reach(session, announcement_id)
        if done(account) or time.monotonic() > deadline:
            return account
        time.sleep(0.05)


def settled(account: ReachAccount) -> bool:
    return account.settled


@pytest.mark.usefixtures("valkey", "sandbox", "site")
def test_everyone_is_reached_the_way_they_prefer_and_the_account_adds_up(sandbox: Sandbox) -> None:
    with write_session() as session:
        for number in range(30):
            somebody(session, f"Person {number}", ("email", "text", "phone", "social")[number % 4])
        somebody(session, "Nobody’s way")
    announcement_id = launch()
    account = work_until(announcement_id, settled)
    assert account.adds_up
    assert account.audience == 31
    assert account.places == {
        Reach.REACHED: 16,
        Reach.ON_ITS_WAY: 0,
        Reach.WAITING_FOR_CALL: 7,
        Reach.POSTED: 7,
        Reach.DECLINED: 0,
        Reach.NOT_REACHED: 1,
    }
    summary = sandbox.get("summary")
    assert {name: (each["accepted"], each["duplicates"]) for name, each in summary.items()} == {
        "email": (8, 0),
        "text": (8, 0),
        "social": (1, 0),
    }
    with read_session() as session:
        assert [(row.channel, row.sent, row.delivered) for row in reach_by_channel(session, announcement_id)] == [
            ("email", 8, 8),
            ("text", 8, 8),
            ("phone", 7, 0),
            ("social", 7, 0),
        ]
        assert sorted(session.scalars(select(CallListRow.number))) == list(range(1, 8))
        assert len(session.scalars(select(PublicPost)).all()) == 1


@pytest.mark.usefixtures("valkey", "site")
def test_whoever_cannot_be_reached_the_first_way_is_tried_the_next_way(sandbox: Sandbox) -> None:
    with write_session() as session:
        dead = somebody(session, "Dead mailbox", "email", "phone")
        stopped = somebody(session, "Stopped texts", "text")
        gone = somebody(session, "Dead number", "text", "email")
        addresses = [person.contact_points[0].address for person in (dead, stopped, gone)]
    sandbox.post(
        "fates", email={addresses[0]: "no_mailbox"}, text={addresses[1]: "opted_out", addresses[2]: "dead_number"}
    )
    account = work_until(launch(), settled)
    assert account.adds_up
    assert (account.places[Reach.REACHED], account.places[Reach.WAITING_FOR_CALL]) == (1, 1)
    assert account.places[Reach.DECLINED] == 1
    with read_session() as session:
        states = session.scalars(
            select(ContactPoint.state).where(ContactPoint.address.in_(addresses)).order_by(ContactPoint.id)
        ).all()
    assert states == [ContactPointState.BAD, ContactPointState.OPTED_OUT, ContactPointState.BAD]


@pytest.mark.usefixtures("valkey", "site")
def test_two_people_at_one_mailbox_get_a_message_each(sandbox: Sandbox) -> None:
    with write_session() as session:
        ann, bob = somebody(session, "Ann", "email"), somebody(session, "Bob")
        contact_point(session, bob, "email", 1, address=ann.contact_points[0].address)
    account = work_until(launch(), settled)
    assert account.places[Reach.REACHED] == 2
    assert sandbox.get("summary")["email"] == {"accepted": 2, "distinct_recipients": 1, "duplicates": 0}


@pytest.mark.usefixtures("valkey", "site", "sandbox")
def test_wrong_credentials_stop_the_channel_and_cost_nobody_a_try(settings_for: Callable[..., Settings]) -> None:
    with write_session() as session:
        for number in range(5):
            somebody(session, f"Person {number}", "text")
    announcement_id = launch()
    right = settings_for().twilio_auth_token.get_secret_value()
    settings_for(twilio_auth_token="wrong")

    def stopped(_: ReachAccount) -> bool:
        with read_session() as session:
            return session.get(ChannelStop, "text") is not None

    account = work_until(announcement_id, stopped)
    assert account.places[Reach.ON_ITS_WAY] == 5
    with read_session() as session:
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.PLANNED}
    settings_for(twilio_auth_token=right)
    with write_session() as session:
        service.resume_channel(session, "text")
    assert work_until(announcement_id, settled).places[Reach.REACHED] == 5


@pytest.mark.usefixtures("site", "sandbox")
def test_a_wiped_queue_server_loses_nothing(valkey: redis.Redis) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    announcement_id = launch()
    dispatcher.dispatch_once()
    assert queue("text").count == 1
    valkey.flushall()
    assert work_until(announcement_id, settled).places[Reach.REACHED] == 1


@pytest.mark.usefixtures("site")
def test_a_busy_provider_is_tried_again_later_and_the_batch_goes_on_where_it_was(sandbox: Sandbox) -> None:
    with write_session() as session:
        for number in range(20):
            somebody(session, f"Person {number}", "text")
    launch()
    sandbox.post("faults", twilio={"rate_429": 1.0, "retry_after": 1})
    send.drain("text")
    with read_session() as session:
        batch = session.scalars(select(Batch)).one()
        assert (batch.state, batch.failures, batch.started_through) == ("waiting", 1, batch.first_delivery_id - 1)
        assert batch.held_until is not None
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.PLANNED}
