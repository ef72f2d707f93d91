"""Writes down what a sending job learns, in the recorder's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from config.channels import ChannelEntry, Handover
from config.settings import settings
from hub.calls.service import put_on_list
from hub.db import utc_now, write_session
from hub.deliveries import budgets, sending
from hub.deliveries.leases import keep_leases
from hub.deliveries.lessons import Lesson, learn
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import Why
from hub.deliveries.sending import LeasedBatch
from workers.posts import PublicPosts
from workers.underway import Underway

KEEPS_IN_A_LEASE = 4
"""How often a job that waits for its provider says that it is alive, in the time of a lease."""
LONGEST_JOB_SECONDS = 600.0
"""A job that takes longer hangs: then it loses what it holds."""
WRITE_AGAIN_AFTER = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
"""Seconds, for what providers have answered: without it nobody knows what was sent."""

log = structlog.get_logger()


class Answer(NamedTuple):
    """What became of one delivery of a batch."""

    batch: LeasedBatch
    result: Result


@dataclass(frozen=True, slots=True)
class LetGo:
    """A batch that its job is done with: written in order, after the answers that came before it.

    ``finished``: nothing of it is left. Otherwise a later job goes on with it; ``hold``: not at once.
    """

    each: Underway
    finished: bool
    hold: bool


class Writer:
    """Writes answers of one job, and keeps the leases of the batches that ``held`` says are its own."""

    def __init__(self, entry: ChannelEntry, posts: PublicPosts, held: Callable[[], Collection[LeasedBatch]]) -> None:
        self._entry = entry
        self._posts = posts
        self._held = held
        self.keep_every = settings().lease_seconds / KEEPS_IN_A_LEASE
        """Seconds within which :meth:`write` is to be called, with or without something to write."""
        self._keep_at = time.monotonic() + self.keep_every
        self._keep_until = time.monotonic() + LONGEST_JOB_SECONDS

    def write(self, group: list[Answer | LetGo]) -> None:
        """Write a group down; again and again while the database is away. Raises its error in the end."""
        for seconds in WRITE_AGAIN_AFTER:
            try:
                self._write_once(group)
            except (OperationalError, InterfaceError) as error:  # a deadlock, or the database is away for a moment
                log.warning("answers could not be recorded yet", channel=self._entry.name, error=type(error).__name__)
                time.sleep(seconds)
            else:
                return
        self._write_once(group)

    def _write_once(self, group: list[Answer | LetGo]) -> None:
        with write_session() as session:
            if self._keep_at <= time.monotonic() < self._keep_until:
                keep_leases(session, list(self._held()), utc_now())
                self._keep_at = time.monotonic() + self.keep_every
            self._write_answers(session, [item for item in group if isinstance(item, Answer)])
            for item in group:
                if isinstance(item, LetGo):
                    _write_let_go(session, item)

    def _write_answers(self, session: Session, answers: list[Answer]) -> None:
        now = utc_now()
        results = [answer.result for answer in answers]
        record(session, results, now)
        lessons = [
            Lesson(result.delivery_id, result.why, self._entry.label, result.code or "")
            for result in results
            if result.why in {Why.OPTED_OUT, Why.CONTACT_POINT_IS_BAD}
        ]
        learn(session, lessons, now)
        announcement_ids = {answer.batch.announcement_id for answer in answers}
        if self._entry.handover is Handover.POSTED:
            self._posts.remember(session, announcement_ids, results, now)
        if self._entry.handover is Handover.ON_LIST:
            for announcement_id in announcement_ids:
                ids = [a.result.delivery_id for a in answers if a.batch.announcement_id == announcement_id]
                put_on_list(session, announcement_id, ids, now)


def _write_let_go(session: Session, item: LetGo) -> None:
    each = item.each
    not_taken = sum(parts for delivery_id, parts in each.parts.items() if delivery_id not in each.unanswered)
    if not_taken:
        budgets.give_back(session, each.batch.announcement_id, not_taken)
    if item.finished:
        sending.finish(session, each.batch)
    else:
        sending.give_back(session, each.batch, hold_until=utc_now() + each.wait() if item.hold else None)
