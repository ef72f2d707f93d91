"""What the readers of cells share: where the text of a cell goes that nobody understood, and why it needs a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.participants.importing.columns import Column
from hub.participants.importing.records import Record

LONGEST_EVIDENCE = 1_000


@dataclass(frozen=True, slots=True)
class Context:
    """What reading a row depends on: when it is read, and whether the file is an export of ours."""

    now: datetime
    ours: bool = False
    zone: str = "Europe/London"
    month_first: bool = False


def keep_in_notes(record: Record, column: Column, text: str) -> None:
    record.note_lines[f"{column.heading}: {text}"] = None


def said(column: Column, text: str) -> str:
    """A cell as evidence: under which heading, and in which words."""
    return f"{column.heading}: {' '.join(text.split())}"[:LONGEST_EVIDENCE]


def needs_a_look(record: Record, column: Column, text: str, why: str) -> None:
    """Say that a cell was not understood; its text is kept in the notes."""
    short = text if len(text) <= 80 else f"{text[:80]}…"
    record.look.append(f"{column.heading}: “{short}” {why}. It is kept in the notes.")
    keep_in_notes(record, column, text)
