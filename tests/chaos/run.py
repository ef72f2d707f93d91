"""One chaos run: everything is started, disturbed as planned, left alone until it has settled, and judged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement, AnnouncementState
from hub.db import engine, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.queries import reach
from hub.deliveries.rules import Reach
from hub.migrate import migrate
from tests.chaos.crowd import announce, opt_some_out, settle_in
from tests.chaos.judge import still_open
from tests.chaos.plan import SENDERS, Event, plan
from tests.chaos.servers import Servers

SETTLE_SECONDS = 240
DATABASE_SECONDS = 60
LITTLE = 0.4
"""The next announcement is sent once no more than this share of people still wait for the one before."""

T = TypeVar("T")


@dataclass
class Record:
    """What was done, at which moments (seconds since 1970)."""

    began: float = 0.0
    calm_until: float = 0.0
    done: list[str] = field(default_factory=list)
    sender_kills: list[float] = field(default_factory=list)
    kills: int = 0
    opt_outs: dict[tuple[str, str], float] = field(default_factory=dict)
    pauses: list[tuple[int, float, float]] = field(default_factory=list)
    """Announcement, and from when until when it was paused."""
    settled_after: float | None = None
    """Seconds after the last disturbance. None: it never did."""


class Run:
    """Does what :func:`tests.chaos.plan.plan` says, and tells ``say`` about it."""

    def __init__(self, servers: Servers, seed: int, seconds: float, say: Callable[[str], None]) -> None:
        self.servers, self.seconds, self.say = servers, seconds, say
        self.events = plan(seed, seconds)
        self.chance = Random(seed)  # noqa: S311 - chaos that can be repeated, no secret
        self.record = Record()
        self.faults: dict[str, dict[str, float]] = {}
        self.announced = 0
        self.paused: tuple[int, float] | None = None
        self.look_again_at = 0.0

    def start(self, people: int) -> None:
        """Start the servers, fill the database, start the hub."""
        self.servers.start_servers()
        os.environ.update(self.servers.environment)
        settings.cache_clear()
        migrate(engine())
        settle_in(engine(), people)
        self.servers.start_hub()

    def go(self) -> Record:
        """Everything that is planned, and then peace."""
        self.record.began = time.time()
        self.record.calm_until = self.record.began + self.seconds / 3
        for event in self.events:
            while time.time() - self.record.began < event.at:
                self._keep_going()
            self.say(str(event))
            self._do(event)
        self._settle()
        return self.record

    def _keep_going(self) -> None:
        self.servers.revive()
        if time.monotonic() > self.look_again_at:
            self.look_again_at = time.monotonic() + 1
            self._within(self._announce_if_idle)
        time.sleep(0.05)

    def _announce_if_idle(self, session: Session) -> None:
        if self.announced:
            latest = session.scalars(select(Announcement).where(Announcement.title == f"To everyone {self.announced}"))
            account = reach(session, latest.one().id)
            if account.planning or account.places[Reach.ON_ITS_WAY] > LITTLE * account.audience:
                return
        announce(session, f"To everyone {self.announced + 1}", urgently=False, now=utc_now())
        self.announced += 1

    # --- What is done ---------------------------------------------------------------------------------------

    def _do(self, event: Event) -> None:
        match event.what:
            case "kill":
                self._kill(event.whom)
            case "faults":
                self.faults[event.whom] = event.faults
                self.servers.post("faults", {"seed": len(self.faults), **self.faults})
            case "wipe":
                self.servers.wipe_queue()
            case "restart":
                self._kill({"the queue server": "valkey", "the database": "postgres"}[event.whom])
            case "announce":
                title = f"Urgent at {event.at:.3f}"
                self._within(lambda session: announce(session, title, urgently=True, now=utc_now()))
            case "opt out":
                self._opt_out()
            case "pause":
                self._pause()
            case "resume":
                self._resume()

    def _kill(self, name: str) -> None:
        self.servers.processes[name].kill()
        self.record.kills += 1
        if name in SENDERS:
            self.record.sender_kills.append(time.time())

    def _opt_out(self) -> None:
        chosen = self._within(lambda session: opt_some_out(session, self.chance, utc_now()))
        self.record.opt_outs.update(dict.fromkeys(chosen, time.time()))

    def _pause(self) -> None:
        def pause_newest(session: Session) -> int | None:
            under_way = select(Announcement.id).where(Announcement.state == AnnouncementState.UNDER_WAY)
            newest = session.scalar(under_way.order_by(Announcement.urgent, Announcement.id.desc()))
            if newest is not None:
                service.pause(session, newest)
            return newest

        announcement_id = self._within(pause_newest)
        if announcement_id is not None:
            self.paused = (announcement_id, time.time())

    def _resume(self) -> None:
        if self.paused is not None:
            announcement_id, since = self.paused
            self.record.pauses.append((announcement_id, since, time.time()))
            self._within(lambda session: service.resume(session, announcement_id))
            self.paused = None

    def _settle(self) -> None:
        """Providers are well, everything runs, and nobody is told to do anything."""
        self.servers.post("faults", {})
        self.say(f"{time.time() - self.record.began:6.1f} s  left alone until everything has settled")
        began = time.monotonic()
        while (waited := time.monotonic() - began) < SETTLE_SECONDS:
            self.servers.revive()
            if not self._within(still_open) and not self._reports_waiting():
                self.record.settled_after = waited
                return
            time.sleep(0.25)

    def _reports_waiting(self) -> bool:
        return any(each["waiting"] for each in self.servers.get("webhooks").values())

    def _within(self, do: Callable[[Session], T]) -> T:
        """Call in a transaction of its own, again where the database is away for a moment."""
        deadline = time.monotonic() + DATABASE_SECONDS
        while True:
            try:
                with write_session() as session:
                    return do(session)
            except DBAPIError:
                if time.monotonic() > deadline:
                    raise
                self.servers.revive()
                time.sleep(0.1)
