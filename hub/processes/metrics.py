"""What monitoring is told, in Prometheus' own words. Nothing in it names or counts out a person."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from redis import Redis, RedisError
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from config.settings import settings
from hub.db import read_session, utc_now
from hub.deliveries.backlog import backlog, deliveries_by_state, unsettled
from hub.deliveries.queries import stopped_channels
from hub.processes.provider_times import provider_times
from hub.processes.queue_server import queue_server
from hub.processes.workforce import workforce

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def metrics() -> ResponseReturnValue:
    """For Prometheus: 404 unless METRICS_TOKEN is set, 401 for whoever does not bear it."""
    token = settings().metrics_token.get_secret_value()
    if not token:
        abort(404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return Response("", 401, {"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Hub())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Hub(Collector):
    def collect(self) -> Iterator[Metric]:
        with read_session() as session:
            yield from _of_the_database(session, utc_now())
        try:
            yield from [*_of_the_queue(queue_server())]
        except (RedisError, OSError):
            yield GaugeMetricFamily("everyway_queue_up", "Whether the queue server answers.", value=0)


def _of_the_database(session: Session, now: datetime) -> Iterator[Metric]:
    batches = GaugeMetricFamily("everyway_batches", "Open batches.", labels=["channel", "state"])
    age = GaugeMetricFamily(
        "everyway_oldest_planned_seconds", "For how long the oldest delivery could have left.", labels=["channel"]
    )
    for each in backlog(session, now):
        batches.add_metric([each.channel, "due"], each.due)
        batches.add_metric([each.channel, "being_sent"], each.being_sent)
        batches.add_metric([each.channel, "later"], each.later)
        age.add_metric([each.channel], _age(each.oldest, now))
    yield batches
    yield age
    deliveries = GaugeMetricFamily("everyway_deliveries", "Live deliveries.", labels=["channel", "state"])
    for channel, state, number in deliveries_by_state(session):
        deliveries.add_metric([channel or "none", state.value], number)
    yield deliveries
    open_ones = unsettled(session)
    yield GaugeMetricFamily("everyway_reports_waiting", "Reports stored and not read yet.", value=open_ones.reports)
    yield GaugeMetricFamily(
        "everyway_reports_lag_seconds", "Age of the oldest of them.", value=_age(open_ones.oldest_report, now)
    )
    yield GaugeMetricFamily("everyway_uncertain", "Deliveries that may have been sent.", value=open_ones.uncertain)
    yield GaugeMetricFamily(
        "everyway_uncertain_for_a_person", "Those that only an organiser can settle.", value=open_ones.for_a_person
    )
    stopped = GaugeMetricFamily("everyway_channel_stopped", "Whether a channel has stopped itself.", labels=["channel"])
    names = {stop.channel for stop in stopped_channels(session)}
    for channel in CHANNELS:
        stopped.add_metric([channel], channel in names)
    yield stopped


def _of_the_queue(server: Redis) -> Iterator[Metric]:
    found = workforce(server)
    yield GaugeMetricFamily("everyway_queue_up", "Whether the queue server answers.", value=1)
    processes = GaugeMetricFamily("everyway_processes", "Background processes heard of.", labels=["process"])
    processes.add_metric(["dispatcher"], found.dispatchers)
    processes.add_metric(["clock"], found.clocks)
    jobs = GaugeMetricFamily("everyway_jobs", "Jobs that wait for a worker.", labels=["channel"])
    requests = CounterMetricFamily("everyway_provider_requests", "Requests answered by providers.", labels=["channel"])
    seconds = CounterMetricFamily("everyway_provider_seconds", "How long that took in all.", labels=["channel"])
    for channel in CHANNELS:
        processes.add_metric([channel], found.workers[channel])
        jobs.add_metric([channel], found.jobs[channel])
        counted, took = provider_times(server, channel)
        requests.add_metric([channel], counted)
        seconds.add_metric([channel], took)
    yield from (processes, jobs, requests, seconds)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since.astimezone(UTC)).total_seconds(), 0.0)
