"""The one sending job: lease batches of a channel, send them, record what became of each delivery.

No transaction is open while a provider is called. Deliveries are started in small windows, about as many as leave
within a tenth of a second, so that an opt-out is seen in time and a crash leaves little that is uncertain.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from channels.base import Accepted, Channel, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater
from channels.opening import open_channel
from config.channels import CHANNELS, Handover
from config.settings import settings
from hub.calls.service import put_on_list
from hub.db import utc_now, write_session
from hub.deliveries import sending
from hub.deliveries.leases import keep_leases
from hub.deliveries.lessons import Lesson, learn
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.sending import LeasedBatch, Start
from hub.deliveries.stopping import stop_channel
from workers.messages import Texts, texts
from workers.posts import PublicPosts
from workers.recorder import Recorder
from workers.running import STOP

BUDGET_SECONDS = 3.0
"""After this a job starts nothing more, so that an urgent announcement waits no longer."""
FIRST_WINDOW = 16
WINDOW_SECONDS = 0.1
MOST_FAILURES = 8
"""After so many tries of a batch, what the provider was still too busy for takes the next rung."""
LONGEST_WAIT = timedelta(minutes=15)
KEEP_SECONDS = 15.0
"""How often a job that waits for its provider says that it is alive."""
LONGEST_JOB_SECONDS = 600.0
"""A job that takes longer hangs: then it loses what it holds."""
LONGEST_PROVIDER_ID = 80
"""Characters of it that are kept. No provider's are longer, and one that were must not stop the others' recording."""
WRITE_AGAIN_AFTER = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
"""Seconds, for what providers have answered: without it nobody knows what was sent."""

HANDED_OVER = {
    Handover.SENT: DeliveryState.SENT,
    Handover.ON_LIST: DeliveryState.ON_LIST,
    Handover.POSTED: DeliveryState.POSTED,
}
REJECTED = {
    Rejection.CONTACT_POINT_IS_BAD: Why.CONTACT_POINT_IS_BAD,
    Rejection.OPTED_OUT: Why.OPTED_OUT,
    Rejection.CONTENT: Why.CONTENT,
    Rejection.NOT_DELIVERED: Why.NOT_DELIVERED,
}

log = structlog.get_logger()


@cache
def open_channels() -> dict[str, Channel]:
    """The channels that this process has opened, with their connections to providers."""
    return {}


def drain(channel: str) -> None:
    """The RQ job: send what is waiting on a channel for a few seconds."""
    opened = open_channels()
    if channel not in opened:
        opened[channel] = open_channel(channel, settings())
    Drain(channel, opened[channel]).run()


@dataclass(slots=True)
class Underway:
    """A leased batch: what of it is in the provider's hands without an answer yet, and whether all of it was."""

    batch: LeasedBatch
    unanswered: set[int] = field(default_factory=set)
    handed_over: bool = False
    try_later: TryLater | None = None


@dataclass(frozen=True, slots=True)
class LetGo:
    """A batch that this job is done with. Recorded in order, after the results that came before it."""

    each: Underway


class Drain:
    """One job's work. The channel reads :meth:`messages`; :meth:`run` reads the channel's answers."""

    def __init__(self, channel: str, to: Channel) -> None:
        self.entry = CHANNELS[channel]
        self.to = to
        self.until = time.monotonic() + BUDGET_SECONDS
        self.window = FIRST_WINDOW
        self.misconfigured: Misconfigured | None = None
        self.failure: Exception | None = None
        self.broken = False
        self.keep_at = time.monotonic() + KEEP_SECONDS
        self.underway: dict[int, Underway] = {}
        self.batch_of: dict[int, Underway] = {}
        self.posts = PublicPosts(channel)
        self.recorder: Recorder[tuple[LeasedBatch, Result] | LetGo] = Recorder(self._write)

    def run(self) -> None:
        """Send until nothing is waiting, the time is up or the process is asked to stop."""
        answers = self.to.send(self.messages())
        try:
            for delivery_id, outcome in answers:
                provider_id = outcome.provider_id if isinstance(outcome, Accepted) else ""
                for served in self.posts.served_by(delivery_id, provider_id):
                    self._answered(served, outcome)
            if self.failure is not None:
                raise self.failure
        except BaseException:
            self.broken = True
            raise
        finally:
            try:
                if isinstance(answers, Generator):
                    answers.close()  # nothing may go on behind the next job's back
                for each in list(self.underway.values()):
                    self._let_go(each)
            finally:
                self.recorder.close()
        if self.misconfigured is not None:
            self._stop_channel(self.misconfigured)

    # --- What is sent -------------------------------------------------------------------------------------

    def messages(self) -> Iterator[Message]:
        """The messages of one batch after the other, each checked as late as there is room to send it.

        What goes wrong here ends them, and is raised by :meth:`run` once what was read already is answered.
        """
        try:
            yield from self._messages()
        except Exception as error:  # noqa: BLE001 - raised by run
            self.failure = error

    def _messages(self) -> Iterator[Message]:
        while self._goes_on():
            with write_session() as session:
                batch = sending.lease_batch(session, self.entry.name, uuid.uuid4().hex, utc_now())
            if batch is None:
                return
            each = self.underway[batch.id] = Underway(batch)
            yield from self._messages_of(each)
            self._let_go_if_answered(each)

    def _goes_on(self, each: Underway | None = None) -> bool:
        held = self.misconfigured is not None or (each is not None and each.try_later is not None)
        return not held and not STOP.is_set() and time.monotonic() < self.until

    def _messages_of(self, each: Underway) -> Iterator[Message]:
        while not each.batch.used_up:
            if not self._goes_on(each):
                return
            began, now = time.monotonic(), utc_now()
            with write_session() as session:
                starts = sending.start(session, each.batch, self.window, now)
            if starts is None:
                return
            if not (yield from self._as_messages(each, starts, now)):
                return
            self._adapt_window(time.monotonic() - began)
        each.handed_over = True

    def _as_messages(self, each: Underway, starts: list[Start], now: datetime) -> Generator[Message, None, bool]:
        """Hand a window over. Returns False where the rest of it has to wait: giving the batch back sees to that."""
        what = texts(each.batch.announcement_id, self.entry.name)
        if self.entry.handover is Handover.POSTED:
            return (yield from self._as_posts(each, what, starts, now))
        for start in starts:
            if not self._goes_on(each):
                return False
            message = what.message(start, now)
            self._hand_over(each, [start.delivery_id])
            yield message
        return True

    def _as_posts(
        self, each: Underway, what: Texts, starts: list[Start], now: datetime
    ) -> Generator[Message, None, bool]:
        for message, post, ids in self.posts.messages(each.batch.announcement_id, what, starts, now):
            if not self._goes_on(each):
                return False
            self._hand_over(each, ids)
            if message is not None:
                yield message
                continue
            for delivery_id in ids:
                self._answered(delivery_id, Accepted(post.provider_id))
        return True

    def _hand_over(self, each: Underway, ids: list[int]) -> None:
        each.unanswered.update(ids)
        self.batch_of.update(dict.fromkeys(ids, each))

    def _adapt_window(self, seconds: float) -> None:
        """Start as many at a time as leave within WINDOW_SECONDS."""
        if seconds < WINDOW_SECONDS / 2:
            self.window = min(self.window * 2, self.entry.batch_size)
        elif seconds > WINDOW_SECONDS * 2:
            self.window = max(self.window // 2, 1)

    # --- What became of it --------------------------------------------------------------------------------

    def _answered(self, delivery_id: int, outcome: Outcome) -> None:
        each = self.batch_of.pop(delivery_id)
        each.unanswered.discard(delivery_id)
        if isinstance(outcome, Misconfigured):
            self.misconfigured = self.misconfigured or outcome
        elif isinstance(outcome, TryLater) and each.batch.failures < MOST_FAILURES:
            each.try_later = max(each.try_later or outcome, outcome, key=lambda later: later.after)
        else:
            self.recorder.put((each.batch, self._result(delivery_id, outcome)))
        self._let_go_if_answered(each)

    def _result(self, delivery_id: int, outcome: Outcome) -> Result:
        match outcome:
            case Accepted():
                provider_id = outcome.provider_id[:LONGEST_PROVIDER_ID] or None
                return Result(delivery_id, HANDED_OVER[self.entry.handover], Why.NONE, provider_id)
            case Rejected():
                return Result(delivery_id, DeliveryState.FAILED, REJECTED[outcome.why], None, outcome.code[:40])
            case TryLater():
                return Result(delivery_id, DeliveryState.FAILED, Why.PROVIDER_BUSY, None, outcome.code[:40])
            case _:
                return Result(delivery_id, DeliveryState.UNCERTAIN)

    def _let_go_if_answered(self, each: Underway) -> None:
        if each.handed_over and not each.unanswered and each.batch.id in self.underway:
            self._let_go(each)

    def _let_go(self, each: Underway) -> None:
        del self.underway[each.batch.id]
        if not self.entry.repeatable:
            for delivery_id in each.unanswered:
                self.recorder.put((each.batch, Result(delivery_id, DeliveryState.UNCERTAIN)))
        self.recorder.put(LetGo(each))

    # --- Writing it down, in the recorder's thread --------------------------------------------------------

    def _write(self, group: list[tuple[LeasedBatch, Result] | LetGo]) -> None:
        for seconds in WRITE_AGAIN_AFTER:
            try:
                self._write_once(group)
            except (OperationalError, InterfaceError) as error:  # a deadlock, or the database is away for a moment
                log.warning("answers could not be recorded yet", channel=self.entry.name, error=type(error).__name__)
                time.sleep(seconds)
            else:
                return
        self._write_once(group)

    def _write_once(self, group: list[tuple[LeasedBatch, Result] | LetGo]) -> None:
        now = utc_now()
        answers = [item for item in group if not isinstance(item, LetGo)]
        with write_session() as session:
            if self.keep_at <= time.monotonic() < self.until + LONGEST_JOB_SECONDS:
                keep_leases(session, [each.batch for each in list(self.underway.values())], now)
                self.keep_at = time.monotonic() + KEEP_SECONDS
            self._write_results(session, answers, now)
            for item in group:
                if isinstance(item, LetGo):
                    self._write_let_go(session, item.each, now)

    def _write_results(self, session: Session, answers: list[tuple[LeasedBatch, Result]], now: datetime) -> None:
        results = [result for _, result in answers]
        record(session, results, now)
        lessons = [
            Lesson(result.delivery_id, result.why, self.entry.label, result.code or "")
            for result in results
            if result.why in {Why.OPTED_OUT, Why.CONTACT_POINT_IS_BAD}
        ]
        learn(session, lessons, now)
        announcement_ids = {batch.announcement_id for batch, _ in answers}
        if self.entry.handover is Handover.POSTED:
            self.posts.remember(session, announcement_ids, results, now)
        if self.entry.handover is Handover.ON_LIST:
            for announcement_id in announcement_ids:
                ids = [result.delivery_id for batch, result in answers if batch.announcement_id == announcement_id]
                put_on_list(session, announcement_id, ids, now)

    def _write_let_go(self, session: Session, each: Underway, now: datetime) -> None:
        if each.handed_over and not each.unanswered and each.try_later is None and self.misconfigured is None:
            sending.finish(session, each.batch)
        else:
            # One that breaks its job would be the first to be leased again, before everything else.
            hold = now + _wait(each) if each.try_later is not None or self.broken else None
            sending.give_back(session, each.batch, hold_until=hold)

    def _stop_channel(self, because: Misconfigured) -> None:
        log.error("channel stopped", channel=self.entry.name, code=because.code)
        with write_session() as session:
            stop_channel(session, self.entry.name, because.code, because.reason, utc_now())


def _wait(each: Underway) -> timedelta:
    """As long as the provider asked for, or twice as long as last time; with jitter, so that not all come at once."""
    asked = each.try_later.after if each.try_later else timedelta()
    backed_off = timedelta(seconds=2**each.batch.failures)
    return max(asked, min(backed_off, LONGEST_WAIT)) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
