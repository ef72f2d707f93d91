"""What the demo shows: how far it has got, and the account in the end, as a table or as JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import IO, Any

import click

from config.channels import CHANNELS
from hub.deliveries.cli import account_as_json
from hub.deliveries.queries import ChannelReach, ReachAccount
from hub.deliveries.rules import Reach
from hub.deliveries.wording import PLACES

BAR = 30
LINE_EVERY = 2.0
"""Seconds between lines of progress where they can't be written over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The account of the demo's announcement, and what the sandbox says it has got."""

    announcement: int
    title: str
    people: int
    account: ReachAccount
    channels: list[ChannelReach]
    sandbox: dict[str, dict[str, int]]

    @property
    def difference(self) -> str:
        """In what the account does not add up; nothing where it does."""
        accounted = sum(self.account.places.values())
        if accounted != self.account.audience:
            return f"{self.account.audience:,} people in the audience, and {accounted:,} are accounted for."
        if self.account.audience != self.people:
            return f"There are {self.people:,} people, and {self.account.audience:,} of them in the audience."
        twice = sum(counts["duplicates"] for counts in self.sandbox.values())
        return f"{twice:,} messages arrived twice." if twice else ""

    def as_json(self) -> dict[str, Any]:
        """As `hub demo --json` prints it."""
        return {
            **account_as_json(self.announcement, self.account, self.channels),
            "adds_up": not self.difference,
            "sandbox": self.sandbox,
        }


@dataclass(slots=True)
class Terminal:
    """Where the demo speaks. On a terminal progress is one line that changes; elsewhere, a line now and then."""

    output: IO[str]
    _shown: str = ""
    _shown_at: float = 0.0
    _open_line: bool = field(default=False)

    def say(self, text: str = "") -> None:
        """A line."""
        self._end_line()
        click.echo(text, file=self.output)

    def progress(self, text: str, *, last: bool = False) -> None:
        """How far it has got, in one line."""
        if text == self._shown and not last:
            return
        if self.output.isatty():
            click.echo(f"\r\x1b[K{text}", file=self.output, nl=False)
            self._open_line = True
        elif last or time.monotonic() - self._shown_at >= LINE_EVERY:
            click.echo(text, file=self.output)
            self._shown_at = time.monotonic()
        self._shown = text
        if last:
            self._end_line()

    def tell(self, outcome: Outcome) -> None:
        """The account, as a table that can be read aloud."""
        account = outcome.account
        self.say(f"“{outcome.title}”: {account.audience:,} people")
        most = max(account.audience, 1)
        for place, label in PLACES.items():
            people = account.places[place]
            bar = "█" * round(BAR * people / most)
            self.say(f"  {label:<38}{people:>8,}  {bar}".rstrip())
        self.say(f"  {'Everyone':<38}{sum(account.places.values()):>8,}")
        self.say()
        self.say(f"  {'By channel':<24}{'planned':>9}{'sent':>9}{'delivered':>11}{'failed':>8}")
        for row in outcome.channels:
            label = CHANNELS[row.channel].label
            self.say(f"  {label:<24}{row.planned:>9,}{row.sent:>9,}{row.delivered:>11,}{row.failed:>8,}")
        self.say()
        self.say(f"  {'In the sandbox':<24}{'messages':>9}{'people':>9}{'twice':>11}")
        for name, counts in outcome.sandbox.items():
            accepted, recipients, twice = (counts[each] for each in ("accepted", "distinct_recipients", "duplicates"))
            self.say(f"  {CHANNELS[name].label:<24}{accepted:>9,}{recipients:>9,}{twice:>11,}")
        self.say()

    def _end_line(self) -> None:
        if self._open_line:
            click.echo(file=self.output)
        self._open_line = False


def progress_line(account: ReachAccount) -> str:
    """How far an announcement has got."""
    counted = [
        f"{account.places[place]:,} {PLACES[place][0].lower() + PLACES[place][1:]}"
        for place in (Reach.REACHED, Reach.ON_ITS_WAY, Reach.WAITING_FOR_CALL, Reach.NOT_REACHED)
    ]
    whole = f"{account.audience:,} people" + (" so far" if account.planning else "")
    return f"  {whole}: {', '.join(counted)}"
