"""What is done by the time of day: receipts, next rungs, lost batches, announcements that have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.db import read_session, utc_now, write_session
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.leases import sweep_lost_leases
from hub.deliveries.models import FollowUp, Receipt
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.service import close_finished
from hub.deliveries.settling import ask_for_reports, give_up_on_reports, settle_without_receipts
from hub.deliveries.silence import note_silence
from hub.deliveries.tallies import compact
from hub.deliveries.uncertain import put_before_organisers
from hub.participants.importing.runs import drop_old_files
from workers.running import go_round

PAUSE = 0.25

log = structlog.get_logger()


@dataclass(slots=True)
class Chore:
    """Something done every so many seconds. ``do`` answers how much it did; ``waiting``, if given, asks first."""

    name: str
    every: float
    do: Callable[[Session, datetime], int]
    waiting: Callable[[Session, datetime], bool] | None = None
    next_at: float = 0.0


def receipts_waiting(session: Session, _now: datetime) -> bool:
    """Whether there are receipts to apply."""
    return session.scalar(select(Receipt.id).where(Receipt.applied_at.is_(None)).limit(1)) is not None


def steps_waiting(session: Session, now: datetime) -> bool:
    """Whether somebody's next rung is due."""
    return session.scalar(select(FollowUp.delivery_id).where(FollowUp.due_at <= now).limit(1)) is not None


def chores() -> list[Chore]:
    """Everything that the clock does."""
    return [
        Chore("receipts", 0.25, apply_receipts, receipts_waiting),
        Chore("next steps", 0.5, take_next_steps, steps_waiting),
        Chore("lost batches", 5, sweep_lost_leases),
        Chore("silence", 5, note_silence),
        Chore("uncertain", 5, put_before_organisers),
        Chore("no receipts to come", 30, settle_without_receipts),
        Chore("missing reports", 300, ask_for_reports),
        Chore("reports given up", 3600, give_up_on_reports),
        Chore("old contact files", 3600, drop_old_files),
        Chore("tallies", 10, compact),
        Chore("ended announcements", 2, lambda session, now: len(close_finished(session, now))),
    ]


def run() -> None:
    """Do every chore at its time until asked to stop."""
    todo = chores()
    go_round("clock", lambda: do_due(todo), PAUSE)


def do_due(todo: list[Chore]) -> bool:
    """Do what is due. Returns whether any of it has more waiting."""
    busy = False
    for chore in todo:
        if time.monotonic() < chore.next_at:
            continue
        chore.next_at = time.monotonic() + chore.every
        if do(chore) and chore.waiting is not None:
            chore.next_at, busy = 0.0, True
    return busy


def do(chore: Chore) -> int:
    """Do a chore once, in a transaction of its own."""
    now = utc_now()
    if chore.waiting is not None:
        with read_session() as session:
            if not chore.waiting(session, now):
                return 0
    with write_session() as session:
        done = chore.do(session, now)
    if done:
        log.info("clock", chore=chore.name, done=done)
    return done
