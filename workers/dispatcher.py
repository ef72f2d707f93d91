"""Plans what has been launched, and keeps each channel's queue supplied with jobs while batches are waiting.

The queue is only a nudge: a job says “there is something to send on this channel”, and the batches are in the
database. A queue server that loses everything costs a moment, not a message.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from rq import Worker
from sqlalchemy import select

from config.channels import CHANNELS
from hub.announcements.models import Announcement
from hub.db import read_session, utc_now, write_session
from hub.deliveries import scheduling
from hub.deliveries.planning import PLANNED_FURTHER, plan_slice
from hub.deliveries.sending import has_work
from hub.deliveries.uncertain import is_due
from workers.queue import connection, queue
from workers.running import go_round

PAUSE = 0.25
JOB_TIMEOUT = 600
"""Seconds. Far above a job's own budget: it ends by that, never by RQ's alarm."""

log = structlog.get_logger()


def run() -> None:
    """Dispatch until asked to stop."""
    go_round("dispatcher", dispatch_once, PAUSE)


def dispatch_once() -> bool:
    """One round. Returns whether there is more to plan."""
    now = utc_now()
    launch_scheduled(now)
    more = plan_next_slices(now)
    for channel in CHANNELS:
        supply(channel, now)
    return more


def launch_scheduled(now: datetime) -> None:
    """Launch what is due, each in a transaction of its own."""
    with read_session() as session:
        ids = scheduling.due(session, now)
    for announcement_id in ids:
        with write_session() as session:
            launched = scheduling.launch_scheduled(session, announcement_id, now)
        log.info("launched" if launched else "not launched", announcement=announcement_id)


def plan_next_slices(now: datetime) -> bool:
    """Plan one slice of every announcement that has people left to plan, urgent ones first."""
    with read_session() as session:
        ids = session.scalars(
            select(Announcement.id)
            .where(Announcement.state.in_(PLANNED_FURTHER), Announcement.planned_at.is_(None))
            .order_by(Announcement.urgent.desc(), Announcement.launched_at)
        ).all()
    more = False
    for announcement_id in ids:
        with write_session() as session:
            more = plan_slice(session, announcement_id, now) or more
        log.info("slice planned", announcement=announcement_id)
    return more


def supply(channel: str, now: datetime) -> None:
    """See to it that every worker of a channel has a job while there is something to do, and that none piles up."""
    with read_session() as session:
        if not has_work(session, channel, now) and not is_due(session, channel, now):
            return
    channel_queue = queue(CHANNELS[channel].queue)
    wanted = max(1, Worker.count(connection=connection(), queue=channel_queue))
    for _ in range(wanted - channel_queue.count):
        channel_queue.enqueue(
            "workers.send.drain",
            channel,
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=3600,
            ttl=60,
            description=f"send {channel}",
        )
