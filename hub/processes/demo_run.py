"""The demo, step by step: everything up, people in, one announcement out, and followed until it has arrived."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from config.secret_key import secret_key
from config.settings import Settings
from hub.db import engine, read_session
from hub.deliveries.queries import ReachAccount, reach, reach_by_channel
from hub.errors import HubError
from hub.migrate import migrate, pending
from hub.processes.data_folder import check_port, only_run_in
from hub.processes.demo_content import ACCOUNTS, TITLE, announce, count_people, make_accounts, put_people_in
from hub.processes.demo_folder import DemoFolder
from hub.processes.demo_report import Outcome, Terminal, progress_line
from hub.processes.demo_settings import LOCAL, free_port_after, leave_own_settings_aside, use_demo_settings
from hub.processes.hanging import what_hangs
from hub.processes.running import Lines, child_environment, start_the_others, start_web, wait_for, wait_for_web
from hub.processes.supervisor import Supervisor
from hub.processes.valkey import start_valkey

LOG = "demo.log"
LOOK_EVERY = 0.25
STALLED_AFTER = 120.0
"""Seconds without any change before the demo says what hangs. Providers' longest retries are shorter."""


class Stalled(HubError):
    """500: something is on its way, and nothing moves any more; the message says where it hangs."""

    status = 500


@dataclass(slots=True)
class DemoRun:
    """The demo, up and running, with its announcement under way."""

    terminal: Terminal
    supervisor: Supervisor
    chosen: Settings
    sandbox_url: str
    folder: DemoFolder
    announcement: int

    def follow(self) -> Outcome:
        """Show progress until nothing is on its way, and return the account. Raises :class:`Stalled`."""
        shown, changed_at = "", time.monotonic()
        while True:
            account = self._account()
            line = progress_line(account)
            self.terminal.progress(line, last=account.settled)
            if account.settled:
                return self._outcome(account)
            if line != shown:
                shown, changed_at = line, time.monotonic()
            elif time.monotonic() - changed_at > STALLED_AFTER:
                raise Stalled(
                    f"Nothing has moved for {STALLED_AFTER:.0f} s, and not everything has arrived. "
                    + what_hangs(self.announcement, self.supervisor)
                )
            time.sleep(LOOK_EVERY)

    def _account(self) -> ReachAccount:
        with read_session() as session:
            return reach(session, self.announcement)

    def _outcome(self, account: ReachAccount) -> Outcome:
        with read_session() as session:
            channels = reach_by_channel(session, self.announcement)
            people = count_people(session)
        return Outcome(self.announcement, TITLE, people, account, channels, self._sandbox())

    def _sandbox(self) -> dict[str, dict[str, int]]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{self.sandbox_url}/sandbox/api/summary", timeout=10)
        answer.raise_for_status()
        counts: dict[str, dict[str, int]] = answer.json()
        return counts

    def say_where(self) -> None:
        """Where to sign in and as whom, and where the sandbox is."""
        self.terminal.say(f"Sign in at {self.chosen.public_url}")
        for address, (role, _) in ACCOUNTS.items():
            self.terminal.say(
                f"  as {role + ':':<12} {address:<28} password {self.folder.passwords.get(address, '(changed)')}"
            )
        self.terminal.say(f"Everybody's phones and mailboxes: {self.sandbox_url}/")
        self.terminal.say("Ctrl-C stops everything. The next start goes on from here.")


@contextmanager
def running_demo(terminal: Terminal, *, port: int, people: int | None) -> Iterator[DemoRun]:
    """Start everything, put people in and send the announcement, each only if that has not been done before."""
    data_dir = leave_own_settings_aside()
    with only_run_in(data_dir) as lock, (data_dir / LOG).open("w", encoding="utf-8") as log:
        lines = Lines(log)
        folder = DemoFolder.open(data_dir)
        folder.save()
        check_port(LOCAL, port)
        sandbox_port = free_port_after(port)
        chosen = use_demo_settings(data_dir, port=port, sandbox_port=sandbox_port)
        terminal.say(f"Starting Everyway in {data_dir} …")
        with Supervisor(lines.say, _Teller(terminal, lines).tell, stays_open=[lock]) as supervisor:
            _start(supervisor, chosen, sandbox_port)
            run = DemoRun(terminal, supervisor, chosen, f"http://{LOCAL}:{sandbox_port}", folder, 0)
            _prepare(run, people)
            yield run


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells what becomes of processes in the log and, since that is not meant to happen, on the terminal."""

    terminal: Terminal
    lines: Lines

    def tell(self, name: str, what: str) -> None:
        self.lines.say(name, what)
        self.terminal.say(f"The process “{name}” {what}.")


def _start(supervisor: Supervisor, chosen: Settings, sandbox_port: int) -> None:
    secret_key()
    if pending(engine()):
        migrate(engine())
    start_valkey(supervisor, chosen)
    arguments = ["--port", str(sandbox_port), "--hub-url", chosen.public_url, "--data", str(chosen.data_dir)]
    command = [sys.executable, "-m", "channels.sandbox", *arguments]
    supervisor.start("sandbox", command, child_environment(chosen))
    start_web(supervisor, chosen)


def _prepare(run: DemoRun, people: int | None) -> None:
    put_people_in(run.terminal, people)
    make_accounts(run.folder)
    wait_for(run.supervisor.members["sandbox"], f"{run.sandbox_url}/sandbox/api/summary")
    wait_for_web(run.supervisor, run.chosen)
    start_the_others(run.supervisor, run.chosen)
    run.announcement = announce(run.terminal)
