"""What an examination finds: in plain words, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    NOTE = "note"
    """Works, and is worth knowing."""
    PROBLEM = "problem"
    """Somebody is not reached, or will not be, until it is put right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, how it is, and what to do."""

    subject: str
    level: Level
    text: str
    to_do: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `hub doctor --json` prints it."""
        return asdict(self)


Check = Callable[[], Iterator[Finding]]
"""Looks at one thing. What it needs that is broken itself is another check's finding; it then finds nothing."""


def fine(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(subject, Level.FINE, text)


def note(subject: str, text: str, to_do: str = "") -> Finding:
    """Worth knowing."""
    return Finding(subject, Level.NOTE, text, to_do)


def problem(subject: str, text: str, to_do: str) -> Finding:
    """To be put right."""
    return Finding(subject, Level.PROBLEM, text, to_do)
