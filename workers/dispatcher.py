"""Plans what has been launched, and keeps each channel's queue supplied with jobs while batches are waiting.

The queue is only a nudge: a job says “there is something to send on this channel”, and the batches are in the
database. A queue server that loses everything costs a moment, not a message.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import structlog
from rq import Worker
from sqlalchemy import Select, bindparam, or_, select

from config.channels import CHANNELS
from hub.announcements.models import Announcement, AnnouncementState
from hub.db import UtcDateTime, read_session, utc_now, write_session
from hub.deliveries import scheduling
from hub.deliveries.planning import PLANNED_FURTHER, plan_slice
from hub.deliveries.sending import waiting_batches
from hub.deliveries.uncertain import to_ask_about
from workers.queue import connection, queue
from workers.running import go_round

PAUSE = 0.5
JOB_TIMEOUT = 600
"""Seconds. Far above a job's own budget: it ends by that, never by RQ's alarm."""

log = structlog.get_logger()


def run() -> None:
    """Dispatch until asked to stop."""
    go_round("dispatcher", dispatch_once, PAUSE)


def dispatch_once() -> bool:
    """One round. Returns whether there is more to plan."""
    now = utc_now()
    with read_session() as session:
        todo = session.execute(_question(), {"now": now}).one()._mapping
    if todo["launch"]:
        launch_scheduled(now)
    more = plan_next_slices(now) if todo["plan"] or todo["launch"] else False
    for channel in CHANNELS:
        if todo[channel]:
            supply(channel)
    return more


@cache
def _question() -> Select[*tuple[Any, ...]]:
    """Whether there is anything to do: one small question, asked twice a second."""
    now = bindparam("now", type_=UtcDateTime())
    due = select(Announcement.id).where(
        Announcement.state == AnnouncementState.SCHEDULED, Announcement.starts_at <= now
    )
    return select(
        due.exists().label("launch"),
        _to_plan().exists().label("plan"),
        *(or_(waiting_batches(name, now).exists(), to_ask_about(name, now).exists()).label(name) for name in CHANNELS),
    )


def _to_plan() -> Select[int]:
    return select(Announcement.id).where(Announcement.state.in_(PLANNED_FURTHER), Announcement.planned_at.is_(None))


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
        ids = session.scalars(_to_plan().order_by(Announcement.urgent.desc(), Announcement.launched_at)).all()
    more = False
    for announcement_id in ids:
        with write_session() as session:
            more = plan_slice(session, announcement_id, now) or more
        log.info("slice planned", announcement=announcement_id)
    return more


def supply(channel: str) -> None:
    """See to it that every worker of a channel has a job, and that none piles up."""
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
