"""What is done to whom and when: all of it follows from the seed, so that a seed that fails can be run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

SENDERS = ("email", "text-1", "text-2")
PROCESSES = (*SENDERS, "dispatcher-1", "dispatcher-2", "clock-1", "clock-2", "web")

CALM_LATENCY_MS = 120
"""How long providers take while only processes are killed, so that kills hit messages in mid-flight."""

FAULTS: tuple[tuple[str, dict[str, float]], ...] = (
    ("is slow", {"latency_ms": 300}),
    ("throttles", {"rate_429": 0.3, "retry_after": 1, "latency_ms": 50}),
    ("fails", {"rate_500": 0.2, "latency_ms": 50}),
    ("is unavailable", {"rate_503": 0.2, "latency_ms": 50}),
    ("resets connections", {"rate_reset": 0.2, "latency_ms": 50}),
    ("hangs", {"rate_hang": 0.05, "hang_seconds": 6, "latency_ms": 50}),
    ("accepts and drops the answer", {"rate_accept_then_drop": 0.2, "latency_ms": 50}),
    ("reports late", {"rate_callback_late": 0.3, "callback_late_ms": 3000, "latency_ms": 50}),
    ("reports out of order", {"rate_callback_reordered": 0.5, "latency_ms": 50}),
    ("reports again", {"rate_callback_repeated": 0.5, "latency_ms": 50}),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that is done, ``at`` seconds after the beginning."""

    at: float
    what: str
    whom: str
    faults: dict[str, float] = field(default_factory=dict)
    words: str = ""

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.words or f'{self.what} {self.whom}'}"


def plan(seed: int, seconds: float) -> list[Event]:
    """The events of a run. In the first third providers are well and only processes are killed."""
    chance = Random(seed)  # noqa: S311 - chaos that can be repeated, no secret
    calm = seconds / 3
    events = [
        Event(0.0, "faults", provider, {"latency_ms": CALM_LATENCY_MS}, f"{provider} is well")
        for provider in ("twilio", "sendgrid")
    ]
    at = 1.5
    while at < calm:
        events.append(Event(at, "kill", chance.choice(SENDERS)))
        at += chance.uniform(1.5, 3.0)
    while at < seconds:
        events.append(_event(chance, at))
        at += chance.uniform(0.6, 2.0)
    events += [
        Event(calm + chance.uniform(0, 2), "announce", "urgently"),
        Event(calm + chance.uniform(2, 3), "pause", "the newest announcement"),
        Event(calm + chance.uniform(6, 7), "resume", "the paused announcement"),
        Event(seconds * 0.5, "wipe", "the queue server"),
        Event(seconds * 0.6, "restart", "the queue server"),
        Event(seconds * 0.75, "restart", "the database"),
    ]
    events += [Event(seconds * share, "opt out", "some people") for share in (0.05, 0.3, 0.55, 0.8)]
    return sorted(events, key=lambda event: event.at)


def _event(chance: Random, at: float) -> Event:
    if chance.random() < 0.45:
        return Event(at, "kill", chance.choice(PROCESSES))
    if chance.random() < 0.15:
        return Event(at, "wipe", "the queue server")
    provider = chance.choice(("twilio", "twilio", "sendgrid"))
    what, faults = chance.choice(FAULTS)
    return Event(at, "faults", provider, faults, f"{provider} {what}")
