"""What monitoring and the page about the background say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from config.channels import CHANNELS
from config.settings import Settings
from hub.db import utc_now, write_session
from hub.deliveries import service
from hub.deliveries.models import Delivery, Receipt, UncertainDelivery
from hub.deliveries.rules import DeliveryState
from hub.deliveries.stopping import stop_channel
from hub.processes import checks_inside
from hub.processes.signs import leave_sign
from hub.processes.workforce import workforce
from tests.deliveries.people import announcement, somebody
from tests.services.sandbox import Sandbox
from tests.services.site import application
from workers import send

TOKEN = "a-token-for-monitoring"

Monitoring = Callable[[], dict[tuple[str, ...], float]]


@pytest.fixture
def client(database: object, valkey: Redis, settings_for: Callable[..., Settings]) -> FlaskClient:
    settings_for(metrics_token=TOKEN)
    return application().test_client()


@pytest.fixture
def told(client: FlaskClient) -> Monitoring:
    """What monitoring is told: every sample, by its name and the values of its labels."""

    def ask() -> dict[tuple[str, ...], float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.text)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    return ask


def launch() -> int:
    with write_session() as session:
        somebody(session, "Ann", "text")
        somebody(session, "Bob", "email")
        made = announcement(session)
        service.check(session, made.id, utc_now())
        service.launch(session, made.id, by=None, now=utc_now() - timedelta(minutes=20))
        return made.id


def test_whoever_does_not_bear_the_token_is_told_nothing(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 401
    for wrong in ("Bearer wrong", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer é"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401, wrong


@pytest.mark.usefixtures("sqlite_database", "valkey")
def test_without_a_token_there_is_no_such_page() -> None:
    assert application().test_client().get("/metrics").status_code == 404


def test_monitoring_sees_what_waits_and_for_how_long(told: Monitoring) -> None:
    assert told()["everyway_oldest_planned_seconds", "text"] == 0
    launch()
    found = told()
    assert found["everyway_batches", "text", "due"] == 1
    assert found["everyway_batches", "phone", "due"] == 0
    assert 1100 < found["everyway_oldest_planned_seconds", "text"] < 1300
    assert found["everyway_deliveries", "email", "planned"] == 1


def test_monitoring_sees_what_was_sent_and_how_long_the_provider_took(told: Monitoring, sandbox: Sandbox) -> None:
    launch()
    sandbox.post("faults", twilio={"latency_ms": 100})
    send.drain("text")
    send.drain("email")
    found = told()
    assert found["everyway_deliveries", "text", "sent"] == 1
    assert found["everyway_provider_requests_total", "text"] == 1
    assert found["everyway_provider_seconds_total", "text"] >= 0.1
    assert found["everyway_provider_requests_total", "email"] == 1


def test_monitoring_sees_stopped_channels_unread_reports_and_what_is_uncertain(told: Monitoring) -> None:
    launch()
    now = utc_now()
    with write_session() as session:
        stop_channel(session, "text", "20003", "Twilio refuses us.", now)
        event = {"provider": "twilio", "event_id": "1", "state": DeliveryState.DELIVERED, "happened_at": now}
        session.add(Receipt(**event, delivery_id=1, received_at=now - timedelta(minutes=5)))
        delivery = session.get_one(Delivery, 1)
        delivery.state = DeliveryState.UNCERTAIN
        session.add(UncertainDelivery(delivery_id=1, channel="text", since=now, ask_at=now, for_a_person=True))
    found = told()
    assert (found["everyway_channel_stopped", "text"], found["everyway_channel_stopped", "email"]) == (1, 0)
    assert found["everyway_reports_waiting",] == 1
    assert found["everyway_reports_lag_seconds",] >= 300
    assert (found["everyway_uncertain",], found["everyway_uncertain_for_a_person",]) == (1, 1)


def test_monitoring_sees_who_works(told: Monitoring, valkey: Redis) -> None:
    assert told()["everyway_processes", "text"] == 0
    worker = SimpleWorker(
        [Queue(CHANNELS["text"].queue, connection=valkey, serializer=JSONSerializer)],
        connection=valkey,
        serializer=JSONSerializer,
    )
    worker.register_birth()
    leave_sign(valkey, "clock")
    found = told()
    assert (found["everyway_processes", "text"], found["everyway_processes", "clock"]) == (1, 1)
    assert found["everyway_processes", "dispatcher"] == 0


def test_a_worker_that_has_not_been_heard_of_does_not_count(valkey: Redis) -> None:
    worker = SimpleWorker([Queue(CHANNELS["text"].queue, connection=valkey)], connection=valkey)
    worker.register_birth()
    assert workforce(valkey).workers["text"] == 1
    valkey.hset(worker.key, "last_heartbeat", (utc_now() - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    assert workforce(valkey).workers["text"] == 0


def test_monitoring_says_so_where_the_queue_server_is_away(
    told: Monitoring, settings_for: Callable[..., Settings]
) -> None:
    settings_for(redis_url="redis://127.0.0.1:1")
    assert told()["everyway_queue_up",] == 0


def test_no_metric_names_a_person(told: Monitoring, client: FlaskClient) -> None:
    launch()
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert "Ann" not in text
    assert "@" not in text
    assert "+44" not in text


@pytest.mark.usefixtures("database", "valkey")
def test_the_doctor_names_what_waits_too_long_and_what_needs_a_decision() -> None:
    launch()
    now = utc_now()
    with write_session() as session:
        session.get_one(Delivery, 1).state = DeliveryState.UNCERTAIN
        session.add(UncertainDelivery(delivery_id=1, channel="text", since=now, ask_at=now, for_a_person=True))
        event = {"provider": "twilio", "event_id": "1", "state": DeliveryState.DELIVERED, "happened_at": now}
        session.add(Receipt(**event, delivery_id=2, received_at=now - timedelta(minutes=15)))
    subjects = {finding.subject for finding in checks_inside.check_sending()}
    assert subjects == {"Text message", "Email", "Reports", "Uncertain"}


@pytest.mark.usefixtures("database", "valkey")
def test_the_doctor_has_nothing_to_say_of_a_hub_that_rests() -> None:
    assert list(checks_inside.check_sending()) == []
