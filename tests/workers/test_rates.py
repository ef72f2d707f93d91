"""How fast a sender may be, however many workers send in its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import pytest
import redis
from sqlalchemy import select

from config.settings import Settings
from hub.announcements.models import Announcement
from hub.db import read_session, utc_now, write_session
from hub.deliveries import budgets, service
from hub.deliveries.models import Batch, Delivery
from tests.deliveries.people import announcement, somebody
from tests.services.sandbox import Sandbox
from workers import send
from workers.rates import Rate

LONG = "Everybody is welcome on Monday. " * 8
"""Two parts of a text."""


@pytest.mark.usefixtures("valkey")
def test_workers_share_what_a_sender_may_send(settings_for: Callable[..., Settings]) -> None:
    settings_for(text_parts_per_second=0.01)
    one, another = Rate("text"), Rate("text")
    assert (one.take(5), another.take(5), one.take(1)) == (1, 0, 0)


@pytest.mark.usefixtures("valkey")
def test_a_second_of_the_rate_may_leave_at_once_and_the_rest_as_time_goes_by(
    settings_for: Callable[..., Settings],
) -> None:
    settings_for(emails_per_second=50)
    rate = Rate("email")
    assert rate.take(80) == 50
    deadline = time.monotonic() + 10
    granted = 0
    while granted < 10 and time.monotonic() < deadline:
        granted += rate.take(10 - granted)
    assert granted == 10


@pytest.mark.usefixtures("valkey")
def test_what_is_not_used_is_given_back_and_what_is_too_much_is_made_up_for(
    settings_for: Callable[..., Settings],
) -> None:
    settings_for(text_parts_per_second=0.01)
    rate = Rate("text")
    assert rate.take(1) == 1
    rate.take_all(-1)
    assert rate.take(1) == 1
    rate.take_all(3)
    assert rate.take(1) == 0


@pytest.mark.usefixtures("valkey")
def test_each_sender_has_a_rate_of_its_own(settings_for: Callable[..., Settings]) -> None:
    settings_for(text_parts_per_second=0.01, twilio_from="+447700900001")
    assert Rate("text").take(1) == 1
    settings_for(twilio_from="+447700900002")
    assert Rate("text").take(1) == 1


def test_a_rate_forgotten_by_the_queue_server_starts_anew(
    valkey: redis.Redis, settings_for: Callable[..., Settings]
) -> None:
    settings_for(text_parts_per_second=0.01)
    rate = Rate("text")
    assert rate.take(1) == 1
    valkey.flushall()
    assert rate.take(1) == 1
    valkey.script_flush()
    assert rate.take(1) == 0


def test_without_a_limit_nobody_is_asked(settings_for: Callable[..., Settings]) -> None:
    settings_for(redis_url="redis://127.0.0.1:1/0")
    assert Rate("text").take(1000) == 1000
    assert Rate("phone").take(1000) == 1000


def launch(people: int, **more: object) -> int:
    now = utc_now()
    with write_session() as session:
        for number in range(people):
            somebody(session, f"Person {number}", "text")
        made = announcement(session, **more)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
        return made.id


@pytest.mark.usefixtures("database", "valkey")
def test_a_job_ends_where_the_rate_is_reached_and_a_later_one_goes_on(
    sandbox: Sandbox, settings_for: Callable[..., Settings]
) -> None:
    settings_for(text_parts_per_second=4)
    launch(10)
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 4
    with read_session() as session:
        batch = session.scalars(select(Batch)).one()
        assert (batch.state, batch.failures, batch.held_until) == ("waiting", 0, None)
    deadline = time.monotonic() + 20
    while sandbox.get("summary")["text"]["accepted"] < 10 and time.monotonic() < deadline:
        send.drain("text")
        time.sleep(0.05)
    assert sandbox.get("summary")["text"] == {"accepted": 10, "distinct_recipients": 10, "duplicates": 0}


@pytest.mark.usefixtures("database", "valkey")
def test_long_texts_count_for_all_their_parts(sandbox: Sandbox, settings_for: Callable[..., Settings]) -> None:
    settings_for(text_parts_per_second=4)
    launch(10, bodies={"text": LONG})
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 4  # the first second's; eight parts
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 4  # four parts are to be made up for first


@pytest.mark.usefixtures("database", "valkey")
def test_texts_stop_before_the_budget_is_passed_and_go_on_with_a_larger_one(
    sandbox: Sandbox, settings_for: Callable[..., Settings]
) -> None:
    settings_for(text_part_price=0.1)
    announcement_id = launch(10, budget=Decimal("0.75"))
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 7
    with write_session() as session:
        found = session.get_one(Announcement, announcement_id)
        assert (found.state, found.paused_because, found.text_parts) == ("paused", "budget", 7)
        assert budgets.set_budget(session, announcement_id, Decimal("5.00"))
    send.drain("text")
    assert sandbox.get("summary")["text"] == {"accepted": 10, "distinct_recipients": 10, "duplicates": 0}
    with read_session() as session:
        assert session.get_one(Announcement, announcement_id).text_parts == 10
        assert set(session.scalars(select(Delivery.state))) == {"sent"}


@pytest.mark.usefixtures("database", "valkey")
def test_texts_that_a_busy_provider_did_not_take_are_not_paid_for(
    sandbox: Sandbox, settings_for: Callable[..., Settings]
) -> None:
    settings_for(text_part_price=0.1)
    announcement_id = launch(5, budget=Decimal("0.50"))
    sandbox.post("faults", twilio={"rate_429": 1, "retry_after": 1})
    send.drain("text")
    with write_session() as session:
        assert session.get_one(Announcement, announcement_id).text_parts == 0
        session.scalars(select(Batch)).one().held_until = None
    sandbox.post("faults")
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 5
