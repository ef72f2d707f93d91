"""Many calls in flight from a plain generator: for providers that take one message per request."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future, Task, gather, sleep
from collections.abc import Awaitable, Callable, Iterable, Iterator

from channels.base import Message, Misconfigured, Outcome, TryLater
from channels.timings import Timings

GROUP_SECONDS = 0.05
GROUP_SIZE = 500
FEWEST = 2
LONGEST_PAUSE = 1.0


class Pace:
    """How many calls may be in flight: halved when the provider asks for less, one more for each full round."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.allowed = float(most)
        self.paused_until = 0.0

    def note(self, outcome: Outcome, now: float) -> None:
        """Learn from an outcome. Of a whole volley of refusals only the first counts."""
        if not isinstance(outcome, TryLater):
            self.allowed = min(self.allowed + 1 / self.allowed, self.most)
        elif now >= self.paused_until:
            self.allowed = max(self.allowed / 2, FEWEST)
            self.paused_until = now + min(outcome.after.total_seconds(), LONGEST_PAUSE)


class Crowd:
    """Sends messages by a coroutine, with at most ``in_flight`` at once, reading them as places become free.

    The event loop runs only while results are waited for: it stands still while the caller records them.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        send_one: Callable[[Message], Awaitable[Outcome]],
        in_flight: int,
        timings: Timings | None = None,
    ) -> None:
        self._loop = loop
        self._send_one = send_one
        self._pace = Pace(in_flight)
        self._timings = timings or Timings()
        self._results: list[tuple[int, Outcome]] = []
        self._workers: set[Task[None]] = set()
        self._stopped = False
        self._errors: list[BaseException] = []
        self._woken: Future[None] = loop.create_future()
        self._alarm_is_set = False

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`. Results come in groups: what has arrived in a twentieth of a second.

        If reading ``messages`` raises, what was read already is answered first. If the caller stops before the end,
        the calls in flight are broken off, and what became of them is not known.
        """
        source = iter(messages)
        try:
            while True:
                self._fill_up(source)
                if not self._workers:
                    break
                # Made before the loop goes on, so that no wake-up is lost.
                self._woken, self._alarm_is_set = self._loop.create_future(), False
                self._loop.run_until_complete(self._woken)
                results, self._results = self._results, []
                yield from results
        finally:
            self._break_off()
        if self._errors:
            raise self._errors[0]

    def _fill_up(self, source: Iterator[Message]) -> None:
        while not self._stopped and len(self._workers) < int(self._pace.allowed):
            worker = self._loop.create_task(self._work(source))
            self._workers.add(worker)
            worker.add_done_callback(self._gone)

    async def _work(self, source: Iterator[Message]) -> None:
        while not self._stopped and len(self._workers) <= self._pace.allowed:
            wait = self._pace.paused_until - self._loop.time()
            if wait > 0:
                await sleep(wait)
                continue
            message = next(source, None)
            if message is None:
                self._stopped = True
                return
            began = self._loop.time()
            outcome = await self._send_one(message)
            self._timings.add(self._loop.time() - began)
            self._take(message.delivery_id, outcome)

    def _gone(self, worker: Task[None]) -> None:
        self._workers.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        if error is not None:
            self._errors.append(error)
            self._stopped = True
        if not self._workers:
            self._wake()

    def _take(self, delivery_id: int, outcome: Outcome) -> None:
        self._results.append((delivery_id, outcome))
        self._pace.note(outcome, self._loop.time())
        if isinstance(outcome, Misconfigured):
            self._stopped = True
        if len(self._results) >= GROUP_SIZE:
            self._wake()
        elif not self._alarm_is_set:
            self._alarm_is_set = True
            self._loop.call_later(GROUP_SECONDS, self._wake)

    def _wake(self) -> None:
        if not self._woken.done():
            self._woken.set_result(None)

    def _break_off(self) -> None:
        workers = [*self._workers]
        for worker in workers:
            worker.cancel()
        if workers:
            self._loop.run_until_complete(gather(*workers, return_exceptions=True))
