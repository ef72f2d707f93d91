"""The one sending job: lease batches of a channel, send them, record what became of each delivery.

No transaction is open while a provider is called. Deliveries are started in small windows, about as many as leave
within a tenth of a second, so that an opt-out is seen in time and a crash leaves little that is uncertain.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import datetime

import structlog
from redis import RedisError

from channels.base import Accepted, Channel, Message, Misconfigured, Outcome, Rejected, TryLater, Unknown
from config.channels import CHANNELS, Handover
from hub.db import utc_now, write_session
from hub.deliveries import sending, starting
from hub.deliveries.recording import Result
from hub.deliveries.rules import DeliveryState
from hub.deliveries.sending import Start
from hub.deliveries.stopping import stop_channel
from hub.processes.provider_times import add_provider_times
from workers.allowance import Allowance
from workers.messages import Texts, texts
from workers.opened import opened_channel
from workers.posts import PublicPosts
from workers.queue import connection
from workers.recorder import Recorder
from workers.running import STOP
from workers.settle import settle
from workers.underway import Underway, result_of
from workers.writing import Answer, LetGo, Writer

BUDGET_SECONDS = 3.0
"""After this a job starts nothing more, so that an urgent announcement waits no longer."""
FIRST_WINDOW = 16
WINDOW_SECONDS = 0.1
MOST_FAILURES = 8
"""After so many tries of a batch, what the provider was still too busy for takes the next rung."""

OUTCOMES: dict[type, str] = {
    Accepted: "accepted",
    Rejected: "rejected",
    TryLater: "to_try_later",
    Unknown: "uncertain",
    Misconfigured: "refused",
}
"""What a job's line in the log counts."""

log = structlog.get_logger()


def drain(channel: str) -> None:
    """The RQ job: settle what is uncertain on a channel, and send what is waiting there for a few seconds."""
    to = opened_channel(channel)
    settle(channel, to)
    Drain(channel, to).run()


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
        self.underway: dict[int, Underway] = {}
        self.batch_of: dict[int, Underway] = {}
        self.allowance = Allowance(channel)
        self.posts = PublicPosts(channel)
        writer = Writer(self.entry, self.posts, lambda: [each.batch for each in list(self.underway.values())])
        self.recorder: Recorder[Answer | LetGo] = Recorder(writer.write, writer.keep_every)
        self.outcomes: Counter[str] = Counter()
        self.announcements: set[int] = set()

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
                self._tell()
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
            self.announcements.add(batch.announcement_id)
            yield from self._messages_of(each)
            self._let_go_if_answered(each)

    def _goes_on(self, each: Underway | None = None) -> bool:
        held = self.misconfigured is not None or (each is not None and each.try_later is not None)
        return not held and not self.allowance.used_up and not STOP.is_set() and time.monotonic() < self.until

    def _messages_of(self, each: Underway) -> Iterator[Message]:
        while not each.batch.used_up:
            if not self._goes_on(each):
                return
            began, now = time.monotonic(), utc_now()
            count = self.allowance.take(self.window)
            if not count:
                return
            with write_session() as session:
                starts = starting.start(session, each.batch, count, now)
            self.allowance.leave(count - len(starts or ()))
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
        handed_over = 0
        for message in self.allowance.agreed(each, (what.message(start, now) for start in starts)):
            if not self._goes_on(each):
                return False
            self._hand_over(each, [message.delivery_id])
            handed_over += 1
            yield message
        return handed_over == len(starts)

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
        self.outcomes[OUTCOMES[type(outcome)]] += 1
        if isinstance(outcome, Misconfigured):
            self.misconfigured = self.misconfigured or outcome
        elif isinstance(outcome, TryLater) and each.batch.failures < MOST_FAILURES:
            each.try_later = max(each.try_later or outcome, outcome, key=lambda later: later.after)
        else:
            self.recorder.put(Answer(each.batch, result_of(self.entry, delivery_id, outcome)))
        if isinstance(outcome, Accepted | Unknown):
            each.parts.pop(delivery_id, None)
        self._let_go_if_answered(each)

    def _let_go_if_answered(self, each: Underway) -> None:
        if each.handed_over and not each.unanswered and each.batch.id in self.underway:
            self._let_go(each)

    def _let_go(self, each: Underway) -> None:
        del self.underway[each.batch.id]
        if not self.entry.repeatable:
            for delivery_id in each.unanswered:
                self.recorder.put(Answer(each.batch, Result(delivery_id, DeliveryState.UNCERTAIN)))
        waits = each.try_later is not None
        finished = each.handed_over and not each.unanswered and not waits and self.misconfigured is None
        # One that breaks its job would be the first to be leased again, before everything else.
        self.recorder.put(LetGo(each, finished, hold=waits or self.broken))

    def _tell(self) -> None:
        """Say in the log what this job has done, and the queue server how long the provider took."""
        if not self.outcomes:
            return
        seconds = round(BUDGET_SECONDS - (self.until - time.monotonic()), 2)
        log.info(
            "sent", channel=self.entry.name, announcements=sorted(self.announcements), seconds=seconds, **self.outcomes
        )
        timings = getattr(self.to, "timings", None)
        if timings is not None:
            with suppress(RedisError):  # nobody's message depends on it
                add_provider_times(connection(), self.entry.name, *timings.take())

    def _stop_channel(self, because: Misconfigured) -> None:
        log.error("channel stopped", channel=self.entry.name, code=because.code)
        with write_session() as session:
            stop_channel(session, self.entry.name, because.code, because.reason, utc_now())
