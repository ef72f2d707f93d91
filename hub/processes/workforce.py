"""Who works in the background at this moment, on all machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis
from rq import Queue, Worker

from config.channels import CHANNELS
from hub.processes.signs import alive

HEARD_OF = timedelta(seconds=75)
"""A worker says at least every 45 s that it is there (workers.__main__), and after every job."""


@dataclass(frozen=True, slots=True)
class Workforce:
    """How many of each there are; ``workers`` and ``jobs`` (waiting for a worker) by channel."""

    dispatchers: int
    clocks: int
    workers: dict[str, int]
    jobs: dict[str, int]

    @property
    def is_complete(self) -> bool:
        """Whether everything that is needed for sending runs."""
        return bool(self.dispatchers and self.clocks and all(self.workers.values()))


def workforce(server: Redis) -> Workforce:
    """Those that were heard of a moment ago. Raises RedisError where the queue server is away."""
    heard = datetime.now(UTC) - HEARD_OF
    queues = [
        name
        for worker in Worker.all(connection=server)
        if worker.last_heartbeat is not None and worker.last_heartbeat.replace(tzinfo=UTC) > heard
        for name in worker.queue_names()
    ]
    return Workforce(
        alive(server, "dispatcher"),
        alive(server, "clock"),
        {entry.name: queues.count(entry.queue) for entry in CHANNELS.values()},
        {entry.name: Queue(entry.queue, connection=server).count for entry in CHANNELS.values()},
    )
