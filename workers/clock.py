"""What is done by the time of day: receipts, next rungs, lost batches, announcements that have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState
from hub.db import UtcDateTime, read_session, utc_now, write_session
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.leases import sweep_lost_leases
from hub.deliveries.models import Batch, BatchState, FollowUp, Receipt, UncertainDelivery
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.service import close_finished
from hub.deliveries.settling import ask_for_reports, give_up_on_reports, settle_without_receipts
from hub.deliveries.silence import note_silence
from hub.deliveries.tallies import compact
from hub.deliveries.uncertain import put_before_organisers
from hub.participants.importing.old_files import drop_old_files
from workers.running import go_round

PAUSE = 0.5

log = structlog.get_logger()


@dataclass(slots=True)
class Chore:
    """Something done every so many seconds, where ``waiting`` says that there is any. ``do`` says how much was done."""

    name: str
    every: float
    do: Callable[[Session, datetime], int]
    waiting: ColumnElement[bool] | None = None
    next_at: float = 0.0


NOW = bindparam("now", type_=UtcDateTime())
RECEIPTS = select(Receipt.id).where(Receipt.applied_at.is_(None)).exists()
STEPS = select(FollowUp.delivery_id).where(FollowUp.due_at <= NOW).exists()
LOST = select(Batch.id).where(Batch.state == BatchState.LEASED, Batch.held_until < NOW).exists()
UNDER_WAY = Announcement.state == AnnouncementState.UNDER_WAY
SILENCE = select(Announcement.id).where(UNDER_WAY, Announcement.silence_minutes.is_not(None)).exists()
UNCERTAIN = select(UncertainDelivery.delivery_id).exists()
OPEN = select(Announcement.id).where(Announcement.planned_at.is_not(None), Announcement.closed_at.is_(None)).exists()


def chores() -> list[Chore]:
    """Everything that the clock does."""
    return [
        Chore("receipts", 0.5, apply_receipts, RECEIPTS),
        Chore("next steps", 0.5, take_next_steps, STEPS),
        Chore("lost batches", 5, sweep_lost_leases, LOST),
        Chore("silence", 5, note_silence, SILENCE),
        Chore("uncertain", 5, put_before_organisers, UNCERTAIN),
        Chore("no receipts to come", 30, settle_without_receipts, OPEN),
        Chore("missing reports", 300, ask_for_reports),
        Chore("reports given up", 3600, give_up_on_reports),
        Chore("old contact files", 3600, drop_old_files),
        Chore("tallies", 10, compact),
        Chore("ended announcements", 2, lambda session, now: len(close_finished(session, now)), OPEN),
    ]


AGAIN_AT_ONCE = frozenset({"receipts", "next steps"})
"""Done until nothing of it is left."""


def run() -> None:
    """Do every chore at its time until asked to stop."""
    todo = chores()
    go_round("clock", lambda: do_due(todo), PAUSE)


def do_due(todo: list[Chore]) -> bool:
    """Do what is due. Returns whether any of it has more waiting."""
    due = [chore for chore in todo if time.monotonic() >= chore.next_at]
    if not due:
        return False
    with read_session() as session:
        waiting = session.execute(_question(), {"now": utc_now()}).one()._mapping
    busy = False
    for chore in due:
        chore.next_at = time.monotonic() + chore.every
        if waiting.get(chore.name, True) and do(chore) and chore.name in AGAIN_AT_ONCE:
            chore.next_at, busy = 0.0, True
    return busy


@cache
def _question() -> Select[*tuple[Any, ...]]:
    """Of which chores there is any: one small question, asked twice a second."""
    return select(*(chore.waiting.label(chore.name) for chore in chores() if chore.waiting is not None))


def do(chore: Chore) -> int:
    """Do a chore once, in a transaction of its own."""
    with write_session() as session:
        done = chore.do(session, utc_now())
    if done:
        log.info("clock", chore=chore.name, done=done)
    return done
