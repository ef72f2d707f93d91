"""A hub for measuring: real servers as an operator would set them, real processes, and a sink for a provider."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
from sqlalchemy import text

from config.settings import settings
from hub.announcements.models import Announcement
from hub.db import engine, read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.rules import DeliveryState
from hub.deliveries.tallies import tallies
from hub.migrate import migrate
from tests.deliveries.people import announcement
from tests.services.sandbox import free_port
from tests.services.stack import Stack

AS_OPERATORS_SET_IT = (
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "work_mem=32MB",
    "maintenance_work_mem=256MB",
)
"""docs/scaling.md says why. Everything else, fsync too, is as PostgreSQL comes."""

SID = "AC" + "0" * 32

PEOPLE = """
INSERT INTO participants (first_name, last_name, known_as, sort_name, search_text, language, time_zone,
  best_time_to_call, how_to_talk, notes, created_at, updated_at)
SELECT 'First' || n % 400, 'Last' || n % 5000, '', 'last' || n % 5000, '', 'en', '', '', '', '', now(), now()
FROM generate_series(1, :people) AS n
"""
POINTS = """
INSERT INTO contact_points (participant_id, channel, address, kind, label, rank, state, state_reason, created_at)
SELECT id, CAST(:channel AS text),
  CASE CAST(:channel AS text) WHEN 'text' THEN '+447' || 700000000 + id ELSE 'person' || id || '@example.org' END,
  CASE CAST(:channel AS text) WHEN 'text' THEN 'mobile' ELSE 'mailbox' END, '', 1, 'usable', '', now()
FROM participants
"""
EMPTY = "TRUNCATE {} RESTART IDENTITY CASCADE"


@dataclass(frozen=True, slots=True)
class Sent:
    """One announcement, sent: how long it took, and what it cost."""

    people: int
    seconds: float
    first_after: float
    """Seconds from launching to the provider's first request."""
    cpu: dict[str, float]
    """Processor seconds of each process, children included; ``bench`` is this one."""
    memory: dict[str, int]
    """Resident bytes of each process, at their most."""

    @property
    def each(self) -> float:
        """Microseconds of processor time of everything, a message."""
        return sum(self.cpu.values()) / self.people * 1e6


class Rig(Stack):
    """Servers in a folder of their own, and this process as a client of them."""

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp")))
        self.folder.chmod(0o755)
        self.sink_url = ""
        self.certificate: str | bool = True
        """What to check the sink's certificate with: a file's name."""

    def start(self) -> None:
        """Database, queue server and an empty hub."""
        self.start_database(*AS_OPERATORS_SET_IT)
        self.start_queue()
        self.environment |= {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": "https://hub.example.org",
            "SECRET_KEY": "a-key-for-measuring-that-signs-nothing-real",
            "SANDBOX": "1",
            "MESSAGES_PER_DAY": "0",
            "UNDO_SECONDS": "0",
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_FROM": "+447700900001",
            "SENDGRID_API_KEY": "SG.key",
            "EMAIL_FROM": "hub@example.org",
            "DATA_DIR": str(self.folder / "hub"),
        }
        self.sink()
        migrate(engine())

    def sink(self, *options: str, scheme: str = "http", **more: str) -> None:
        """Start a provider instead of the one before."""
        if "sink" in self.processes:
            self.processes["sink"].kill()
        port = free_port()
        self.sink_url = f"{scheme}://127.0.0.1:{port}"
        self.module("sink", "tests.bench.sink", str(port), *options)
        self.wait(self._sink_answers)
        self.environment |= {"TWILIO_BASE_URL": self.sink_url, "SENDGRID_BASE_URL": self.sink_url, **more}
        self.use()

    def use(self, **more: str) -> None:
        """Let this process have the hub's settings, with changes."""
        self.environment |= more
        os.environ.update(self.environment)
        settings.cache_clear()

    def _sink_answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(self.sink_url, timeout=2, verify=self.certificate).ok
        return False

    def told(self) -> dict[str, float]:
        """What the sink has to say since it was asked last."""
        answer: dict[str, float] = requests.get(self.sink_url, timeout=10, verify=self.certificate).json()
        return answer

    # --- People and announcements ---------------------------------------------------------------------------

    def people(self, number: int, channel: str) -> None:
        """Nobody but so many people, who can be reached on one channel."""
        tables = "participants, announcements, deliveries, batches, follow_ups, receipts, reach_tallies, groups"
        with engine().begin() as connection:
            connection.execute(text(EMPTY.format(tables)))
            connection.execute(text(PEOPLE), {"people": number})
            connection.execute(text(POINTS), {"channel": channel})
        self.tidy()

    def tidy(self) -> None:
        """What autovacuum and checkpoints would do, at a moment when nothing is measured."""
        with engine().connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(text("CHECKPOINT"))
            alone.execute(text("VACUUM ANALYZE"))

    def draft(self, **more: Any) -> int:
        """A checked announcement."""
        with write_session() as session:
            made = announcement(session, **more)
            service.check(session, made.id, utc_now())
            return made.id

    def launch(self, announcement_id: int) -> None:
        """Send it."""
        with write_session() as session:
            service.launch(session, announcement_id, by=None, now=utc_now())

    # --- Measuring ------------------------------------------------------------------------------------------

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far, of each process and what it has started; the sink's are not ours."""
        own = os.times()
        spent = {"bench": own.user + own.system}
        for name, process in self.processes.items():
            if name != "sink" and process.runs:
                spent[name] = sum(map(_seconds, _family(process.pid)))
        return spent

    def send(self, people: int, patience: float = 1200, **more: Any) -> Sent:
        """Launch an announcement to everyone and wait until everything has been handed over."""
        announcement_id = self.draft(**more)
        self.told()
        before, began, clock = self.cpu(), time.time(), time.monotonic()
        self.launch(announcement_id)
        most: dict[str, int] = {}
        while self._left(announcement_id):
            if time.monotonic() - clock > patience:
                raise RuntimeError(f"Not everything was sent.\n{self._logs()}")
            time.sleep(0.1 + people / 1_000_000)
            for name, process in self.processes.items():
                most[name] = max(most.get(name, 0), psutil.Process(process.pid).memory_info().rss)
        told = self.told()
        after = self.cpu()
        spent = {name: after[name] - before.get(name, 0) for name in after}
        return Sent(people, told["last"] - began, told["first"] - began, spent, most)

    def _left(self, announcement_id: int) -> bool:
        with read_session() as session:
            if session.get_one(Announcement, announcement_id).planned_at is None:
                return True
            return any(each.state is DeliveryState.PLANNED for each in tallies(session, [announcement_id]))

    def _logs(self) -> str:
        return "\n".join(f"{each.name}: {each.log.read_text()[-1500:]}" for each in self.processes.values())


def medians(rounds: int, ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Each way by turns, and the median of what each gives."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return {name: statistics.median(values) for name, values in found.items()}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
