"""Asking Twilio which uncertain texts it has taken, through the official SDK over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from config.settings import Settings
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.models import Batch, Delivery, UncertainDelivery
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.settling import ask_for_reports, give_up_on_reports
from hub.participants.models import Participant
from tests.deliveries.people import announcement, contact_point, somebody
from tests.services.sandbox import Sandbox
from workers import send
from workers.opened import opened_channel
from workers.settle import settle

pytestmark = pytest.mark.usefixtures("database", "valkey", "sandbox")

SHARED = "+447700900777"


def launch() -> int:
    now = utc_now()
    with write_session() as session:
        made = announcement(session)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
        return made.id


def ask(channel: str = "text") -> None:
    with write_session() as session:
        long_ago = utc_now() - timedelta(minutes=1)
        session.execute(update(UncertainDelivery).values(ask_at=long_ago))
    settle(channel, opened_channel(channel))


def live() -> dict[str, tuple[str, bool]]:
    with read_session() as session:
        found = session.execute(
            select(Participant.first_name, Delivery.state, Delivery.provider_id.is_not(None))
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Delivery.live)
        )
        return {name: (state.value, bool(has_id)) for name, state, has_id in found}


def go_on() -> None:
    with write_session() as session:
        take_next_steps(session, utc_now())
    send.drain("text")


def test_a_text_that_twilio_took_before_the_connection_broke_is_not_sent_again(sandbox: Sandbox) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    sandbox.post("faults", twilio={"rate_accept_then_drop": 1})
    send.drain("text")
    assert live() == {"Ann": ("uncertain", False)}
    sandbox.post("faults")
    ask()
    assert live()["Ann"] in {("sent", True), ("delivered", True)}
    go_on()
    assert sandbox.get("summary")["text"] == {"accepted": 1, "distinct_recipients": 1, "duplicates": 0}


def test_a_text_that_twilio_never_took_is_sent_again(sandbox: Sandbox) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    sandbox.post("faults", twilio={"rate_500": 1})
    send.drain("text")
    assert live() == {"Ann": ("uncertain", False)}
    sandbox.post("faults")
    ask()
    assert live()["Ann"] == ("failed", False)
    go_on()
    assert live()["Ann"] == ("sent", True)
    assert sandbox.get("summary")["text"] == {"accepted": 1, "distinct_recipients": 1, "duplicates": 0}


def test_of_two_people_with_one_number_and_the_same_words_only_the_one_who_missed_it_is_sent_it_again(
    sandbox: Sandbox,
) -> None:
    with write_session() as session:
        for _ in range(2):
            contact_point(session, somebody(session, "Sam"), "text", 1, address=SHARED)
    launch()
    sandbox.post("faults", twilio={"rate_500": 1})
    send.drain("text")
    sandbox.post("faults", twilio={"rate_accept_then_drop": 1})
    with write_session() as session:  # one of the two is tried again, and taken
        ids = session.scalars(select(Delivery.id)).all()
        session.execute(update(Delivery).where(Delivery.id == ids[0]).values(state="planned"))
        session.execute(update(Batch).values(state="waiting", started_through=0))
    send.drain("text")
    sandbox.post("faults")
    ask()
    ask()
    go_on()
    assert sandbox.get("summary")["text"]["accepted"] == 2
    with read_session() as session:
        assert len(set(session.scalars(select(Delivery.provider_id).where(Delivery.live)))) == 2


def test_where_twilio_cannot_be_asked_nothing_is_assumed(
    sandbox: Sandbox, settings_for: Callable[..., Settings]
) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    launch()
    sandbox.post("faults", twilio={"rate_500": 1})
    send.drain("text")
    settings_for(twilio_auth_token="wrong")
    ask()
    assert live() == {"Ann": ("uncertain", False)}


def test_sendgrid_is_not_asked_for_it_only_tells(sandbox: Sandbox) -> None:
    with write_session() as session:
        somebody(session, "Ann", "email")
    launch()
    sandbox.post("faults", sendgrid={"rate_accept_then_drop": 1})
    send.drain("email")
    sandbox.post("faults")
    ask("email")
    assert live() == {"Ann": ("uncertain", False)}
    with read_session() as session:
        asked_next = session.scalars(select(UncertainDelivery.ask_at)).one()
    assert asked_next > utc_now() + timedelta(minutes=50)


def test_a_report_that_was_lost_is_asked_for(sandbox: Sandbox) -> None:
    with write_session() as session:
        dead = somebody(session, "Ann", "text").contact_points[0].address
        somebody(session, "Bob", "text")
    sandbox.post("fates", text={dead: "dead_number"})
    launch()
    send.drain("text")  # nobody serves the hub's webhooks here
    assert live() == {"Ann": ("sent", True), "Bob": ("sent", True)}
    two_hours_on = utc_now() + timedelta(hours=2)
    with write_session() as session:
        assert ask_for_reports(session, two_hours_on) == 2
        assert ask_for_reports(session, two_hours_on) == 0
    ask()
    with write_session() as session:
        apply_receipts(session, utc_now())
    assert live() == {"Ann": ("failed", True), "Bob": ("delivered", True)}


def test_what_is_never_reported_on_is_given_up_after_three_days(sandbox: Sandbox) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    announcement_id = launch()
    send.drain("text")
    assert sandbox.get("summary")["text"]["accepted"] == 1
    with write_session() as session:
        assert give_up_on_reports(session, utc_now() + timedelta(hours=71)) == 0
        assert give_up_on_reports(session, utc_now() + timedelta(hours=73)) == 1
        assert service.close_finished(session, utc_now()) == [announcement_id]
    assert live() == {"Ann": ("unreachable", True)}
