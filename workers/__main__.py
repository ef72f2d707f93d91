"""The background processes: ``python -m workers dispatcher``, ``clock`` or ``send CHANNEL``."""

from __future__ import annotations

import gc
import sys
from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from config.channels import CHANNELS
from config.logs import set_up_logs
from workers.queue import connection, queue
from workers.running import STOP, stop_on_signals

USAGE = f"usage: python -m workers dispatcher | clock | send {'|'.join(CHANNELS)}"


SAYS_IT_LIVES = 45
"""Seconds after which a worker without work says that it is there: hub.processes.workforce relies on it."""


class SendingWorker(SimpleWorker):
    """Runs jobs in its own process, so that connections to providers and the database outlive a job."""

    def request_stop(self, signum: Any, frame: Any) -> None:
        """SIGTERM and SIGINT: the job at hand stops starting deliveries, records its answers, and is the last."""
        STOP.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ's own


def send(channel: str) -> None:
    """Work on a channel's queue until asked to stop."""
    worker = SendingWorker(
        [queue(CHANNELS[channel].queue)],
        connection=connection(),
        serializer=JSONSerializer,
        worker_ttl=SAYS_IT_LIVES + 15,  # RQ waits for work 15 s less than that
    )
    worker.work(logging_level="WARNING")


def main(arguments: list[str]) -> int:
    """Run one of the processes. Returns 2 for a name that there is none of."""
    set_up_logs()
    # What is imported stays. The collector need not look at it again, neither now and then nor, which takes most of a
    # second, at the end: a process has 3 s to end in.
    gc.freeze()
    match arguments:
        case ["dispatcher"]:
            stop_on_signals()
            from workers import dispatcher  # each process imports what it needs, and no more

            dispatcher.run()
        case ["clock"]:
            stop_on_signals()
            from workers import clock

            clock.run()
        case ["send", channel] if channel in CHANNELS:
            send(channel)
        case _:
            sys.stderr.write(USAGE + "\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
