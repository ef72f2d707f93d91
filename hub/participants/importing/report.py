"""What became of a contact file: every row, in plain words, and numbers that add up to the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from hub.participants.importing.columns import Column
from hub.participants.importing.fields import Field


class Outcome(StrEnum):
    """What became of a row. A row that needs a look has been imported, too, where that was safe: see ``change``."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    NEEDS_A_LOOK = "needs a look"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RowReport:
    """One row. ``change`` is what was done (imported, updated, unchanged, skipped), also where it needs a look."""

    row: int
    name: str
    outcome: Outcome
    change: Outcome
    look: tuple[str, ...] = ()
    """Why a person should look at it; empty unless the outcome says so."""
    notes: tuple[str, ...] = ()
    participant_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as ``--json`` prints it and as it is kept."""
        return {
            "row": self.row,
            "name": self.name,
            "outcome": self.outcome.value,
            "change": self.change.value,
            "look": list(self.look),
            "notes": list(self.notes),
            "participant_id": self.participant_id,
        }


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came out how; all but ``rows`` add up to it."""

    rows: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    needs_a_look: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do where ``applied`` is False."""

    filename: str
    applied: bool
    opt_outs: bool
    """The file was taken as a list of people who opted out."""
    rows: Sequence[RowReport]
    columns: Sequence[Column] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
    people_added: int = 0
    people_updated: int = 0

    @property
    def counts(self) -> Counts:
        """How many rows came out how."""
        found = Counter(row.outcome for row in self.rows)
        return Counts(
            rows=len(self.rows),
            imported=found[Outcome.IMPORTED],
            updated=found[Outcome.UPDATED],
            unchanged=found[Outcome.UNCHANGED],
            needs_a_look=found[Outcome.NEEDS_A_LOOK],
            skipped=found[Outcome.SKIPPED],
        )

    @property
    def kept_in_notes(self) -> list[str]:
        """Headings of columns that we don't know and whose values go into people's notes."""
        return [column.heading for column in self.columns if column.field is Field.KEEP_IN_NOTES and column.filled]

    @property
    def left_out(self) -> list[str]:
        """Headings of columns that are not imported."""
        return [column.heading for column in self.columns if column.field is Field.LEAVE_OUT and column.filled]

    def as_json(self) -> dict[str, Any]:
        """The report as ``--json`` prints it."""
        return {
            "file": self.filename,
            "applied": self.applied,
            "opt_outs": self.opt_outs,
            **asdict(self.counts),
            "people_added": self.people_added,
            "people_updated": self.people_updated,
            "columns": {column.heading: column.field.value for column in self.columns},
            "kept_in_notes": self.kept_in_notes,
            "left_out": self.left_out,
            "remarks": list(self.remarks),
            "report": [row.as_json() for row in self.rows],
        }


def row_from_json(kept: Mapping[str, Any]) -> RowReport:
    """A row as it was kept with the import."""
    return RowReport(
        row=kept["row"],
        name=kept["name"],
        outcome=Outcome(kept["outcome"]),
        change=Outcome(kept["change"]),
        look=tuple(kept["look"]),
        notes=tuple(kept["notes"]),
        participant_id=kept.get("participant_id"),
    )


def row_report(
    row: int,
    name: str,
    change: Outcome,
    look: Sequence[str] = (),
    notes: Sequence[str] = (),
    participant_id: int | None = None,
) -> RowReport:
    """A row's report; it needs a look where there is a reason to."""
    outcome = Outcome.NEEDS_A_LOOK if look else change
    unique = tuple(dict.fromkeys(look))
    return RowReport(row, name, outcome, change, unique, tuple(dict.fromkeys(notes)), participant_id)
