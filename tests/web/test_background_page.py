"""The page that says who sends, and what is waiting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from config.channels import CHANNELS
from hub.accounts.models import RoleName
from hub.db import utc_now, write_session
from hub.deliveries import service
from hub.deliveries.stopping import stop_channel
from hub.processes.signs import leave_sign
from tests.deliveries.people import announcement, somebody
from tests.web.conftest import Visitor

PAGE = "/settings/background"


@pytest.fixture
def everybody_works(valkey: Redis) -> None:
    queues = [Queue(entry.queue, connection=valkey, serializer=JSONSerializer) for entry in CHANNELS.values()]
    SimpleWorker(queues, connection=valkey, serializer=JSONSerializer).register_birth()
    for name in ("dispatcher", "clock"):
        leave_sign(valkey, name)


@pytest.mark.usefixtures("everybody_works")
def test_it_says_that_all_is_well_where_nothing_waits(organiser: Visitor) -> None:
    page = organiser.get(PAGE).text
    assert page.count("Nothing is waiting.") == len(CHANNELS)
    assert page.count("Running") == 2
    assert "Something is missing" not in page


@pytest.mark.usefixtures("valkey")
def test_it_says_where_nobody_is_sending(organiser: Visitor) -> None:
    page = organiser.get(PAGE).text
    assert page.count("Nobody is sending") == len(CHANNELS)
    assert "Something is missing" in page


@pytest.mark.usefixtures("everybody_works")
def test_it_shows_what_waits_and_a_stopped_channel_with_its_reason_and_a_way_out(organiser: Visitor) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session)
        service.check(session, made.id, utc_now())
        service.launch(session, made.id, by=None, now=utc_now())
        stop_channel(session, "text", "20003", "Twilio refuses us.", utc_now())
    page = organiser.get(PAGE).text
    assert "Twilio refuses us." in page
    assert "1 waiting; the oldest since" in page
    assert "/settings/channels/text/resume" in page


def test_volunteers_are_not_shown_it(signed_in: Callable[..., Visitor]) -> None:
    assert signed_in(RoleName.VOLUNTEER).client.get(PAGE).status_code == 403
