"""Faults on purpose: what providers and networks do on a bad day, at rates that a test can set and repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import wraps
from random import Random
from typing import Any

from aiohttp import web

PROVIDERS = ("twilio", "sendgrid", "mastodon", "smtp")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Event = tuple[float, int, str, float]
"""When it is told, the message, what happened, when it happened."""
Refusal = Callable[[int, Mapping[str, str]], web.Response]
"""Makes a provider's own answer for an HTTP status, with extra headers."""


class BadFaults(ValueError):
    """What is wrong with a description of faults."""


@dataclass(frozen=True, slots=True)
class ProviderFaults:
    """One provider's bad day. Rates are shares from 0 to 1; of the request's rates at most one happens to a request."""

    latency_ms: float = 0
    rate_429: float = 0
    retry_after: float = 1
    rate_500: float = 0
    rate_503: float = 0
    rate_reset: float = 0
    """The connection is cut before the request is looked at."""
    rate_hang: float = 0
    """The request is taken and no answer comes for ``hang_seconds``; nothing is accepted."""
    hang_seconds: float = 60
    rate_accept_then_drop: float = 0
    """The message is accepted, and the connection is cut instead of answering."""
    callback_delay_ms: float = 0
    rate_callback_late: float = 0
    callback_late_ms: float = 5000
    rate_callback_repeated: float = 0
    rate_callback_reordered: float = 0
    """The last event of a message is told first."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            highest = 1 if name.startswith("rate_") else 3_600_000
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
                raise BadFaults(f"{name} must be a number from 0 to {highest}.")


CALM = ProviderFaults()


class Faults:
    """The faults that are switched on. The same seed and the same requests make the same faults."""

    def __init__(self) -> None:
        self.by_provider: dict[str, ProviderFaults] = {}
        self.random = Random(0)  # noqa: S311 - chaos that a test can repeat, not secrets

    def of(self, provider: str) -> ProviderFaults:
        """What is switched on for one provider."""
        return self.by_provider.get(provider, CALM)

    def replace(self, description: object) -> None:
        """Take ``{"seed": 7, "twilio": {"rate_500": 0.1}, …}`` instead of what was on. Raises :class:`BadFaults`."""
        if not isinstance(description, dict):
            raise BadFaults("Send a JSON object: provider names with their faults, and optionally a seed.")
        seed = description.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise BadFaults("seed must be a whole number.")
        described = {name: _read(name, value) for name, value in description.items() if name != "seed"}
        self.by_provider = described
        self.random = Random(seed)  # noqa: S311 - as above

    def described(self) -> dict[str, Any]:
        """What is switched on, in the form that :meth:`replace` takes."""
        return {provider: asdict(faults) for provider, faults in self.by_provider.items()}

    def happens(self, rate: float) -> bool:
        """Whether something with this rate happens now."""
        return rate > 0 and self.random.random() < rate

    def choose(self, provider: str) -> str:
        """What happens to the next request: ``fine``, or the name of a rate without its ``rate_``."""
        faults = self.of(provider)
        place = self.random.random()
        for name in ("429", "500", "503", "reset", "hang", "accept_then_drop"):
            rate: float = getattr(faults, f"rate_{name}")
            if place < rate:
                return name
            place -= rate
        return "fine"

    def disturbed(self, provider: str, events: list[Event]) -> list[Event]:
        """The events of one message with this provider's delays, repetitions and disorder."""
        faults = self.of(provider)
        if len(events) > 1 and self.happens(faults.rate_callback_reordered):
            whens = [event[0] for event in events]
            events = [(when, *event[1:]) for when, event in zip(reversed(whens), events, strict=True)]
        told = []
        for planned, message_id, event, at in events:
            late = faults.callback_late_ms if self.happens(faults.rate_callback_late) else 0
            due = planned + (faults.callback_delay_ms + late) / 1000
            told.append((due, message_id, event, at))
            if self.happens(faults.rate_callback_repeated):
                told.append((due + 0.1, message_id, event, at))
        return told


def _read(name: object, value: object) -> ProviderFaults:
    if name not in PROVIDERS:
        raise BadFaults(f"{name!r} is not a provider. There are {', '.join(PROVIDERS)}, and seed.")
    if not isinstance(value, dict):
        raise BadFaults(f"The faults of {name} must be a JSON object.")
    known = {field.name for field in fields(ProviderFaults)}
    if unknown := sorted(set(value) - known):
        raise BadFaults(f"{name} has no fault named {unknown[0]!r}. There are {', '.join(sorted(known))}.")
    return ProviderFaults(**value)


def faulty(provider: str, faults_of: Callable[[web.Request], Faults], refusal: Refusal) -> Callable[[Handler], Handler]:
    """Let a provider's handler have the faults that are switched on."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        async def handle(request: web.Request) -> web.StreamResponse:
            faults = faults_of(request)
            if provider not in faults.by_provider:
                return await handler(request)
            return await _with_faults(handler, request, faults, provider, refusal)

        return handle

    return decorate


async def _with_faults(
    handler: Handler, request: web.Request, faults: Faults, provider: str, refusal: Refusal
) -> web.StreamResponse:
    switched_on = faults.of(provider)
    if switched_on.latency_ms:
        await request.read()  # what has arrived is worked on, whatever becomes of its sender meanwhile
        await asyncio.sleep(switched_on.latency_ms / 1000)
    happening = faults.choose(provider)
    if happening == "429":
        return refusal(429, {"Retry-After": f"{switched_on.retry_after:g}"})
    if happening in {"500", "503"}:
        return refusal(int(happening), {})
    if happening == "hang":
        await request.read()
        await asyncio.sleep(switched_on.hang_seconds)
    elif happening in {"fine", "accept_then_drop"}:
        answer = await handler(request)
        if happening == "fine":
            return answer
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
