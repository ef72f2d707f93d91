"""How long a provider takes to answer: added up where requests are made, and handed on now and then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Timings:
    """So many requests were answered, in so many seconds in all."""

    requests: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.requests += 1
        self.seconds += seconds

    def take(self) -> tuple[int, float]:
        """What there is, which is forgotten here."""
        taken = self.requests, self.seconds
        self.requests, self.seconds = 0, 0.0
        return taken
