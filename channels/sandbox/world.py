"""What every part of the sandbox shares: its options, its memory, its people, and the faults that are switched on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec

from channels.sandbox.credentials import DEFAULT, Credentials
from channels.sandbox.faults import Event, Faults
from channels.sandbox.keys import signing_key
from channels.sandbox.people import Fate, fate_of
from channels.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Options:
    """How one sandbox behaves. ``delay``: seconds until a message has arrived; half of it until it is sent."""

    hub_url: str = "http://localhost:8000"
    data_dir: Path | None = None
    credentials: Credentials = DEFAULT
    everyone_reachable: bool = False
    delay: float = 0.5
    concurrency: int = 16


@dataclass
class Told:
    """How the hub has answered what one provider told it."""

    taken: int = 0
    refused: int = 0
    """Answers that are neither 2xx nor 5xx: nothing is told again after them, as a hub that is right would not mind."""
    failed: int = 0
    """Answers 5xx, or none at all; told again later."""

    def count(self, status: int, events: int = 1) -> None:
        """Note an answer."""
        if status < 300:
            self.taken += events
        elif status < 500:
            self.refused += events
        else:
            self.failed += events


@dataclass
class Sandbox:
    """One running sandbox."""

    options: Options
    store: Store
    key: ec.EllipticCurvePrivateKey
    faults: Faults = field(default_factory=Faults)
    decided: dict[tuple[str, str], Fate] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    """What to say on the next page: a form's answer survives the redirect after it."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    failure: BaseException | None = None
    told: dict[str, Told] = field(default_factory=lambda: {"twilio": Told(), "sendgrid": Told()})

    @classmethod
    def open(cls, options: Options) -> Sandbox:
        """A sandbox with what it remembers from last time."""
        store = Store(options.data_dir)
        return cls(options, store, signing_key(options.data_dir), decided=store.refusals.decided())

    def fate(self, channel: str, address: str) -> Fate:
        """What this address does with what is sent to it."""
        decided = self.decided.get((channel, address))
        return decided or fate_of(channel, address, everyone_reachable=self.options.everyone_reachable)

    def decide(self, channel: str, address: str, fate: Fate) -> None:
        """Give an address a fate of its own."""
        self.decided[channel, address] = fate
        self.store.refusals.decide(channel, address, fate)

    def plan(self, provider: str, events: list[Event]) -> None:
        """Tell the hub later what becomes of one message."""
        self.store.outbox.plan(provider, self.disturbed(provider, events))

    def disturbed(self, provider: str, events: list[Event]) -> list[Event]:
        """The events of one message: as they are, or late, repeated or out of order where faults say so."""
        return self.faults.disturbed(provider, events) if provider in self.faults.by_provider else events

    def reset(self) -> None:
        """Forget everything that happened; faults stay as they are."""
        self.store.reset()
        self.decided.clear()
        self.told.update({provider: Told() for provider in self.told})


SANDBOX = web.AppKey("sandbox", Sandbox)
SESSION = web.AppKey("session", ClientSession)
"""For what the sandbox asks of the hub."""


def now() -> float:
    """Seconds since 1970."""
    return time.time()
