"""Which column means what: guessed by heading and content, corrected by the organiser."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hub.participants.errors import BadDetails
from hub.participants.importing.fields import HEADINGS, LABELS, SEVERAL, Field, known_heading, plain_heading
from hub.participants.importing.reading import Row, Table

ROWS_LOOKED_AT = 200
SAMPLES = 3
ROWS_ABOVE_HEADINGS = 15
"""How far down a heading row is looked for, below a title and such."""
MOSTLY = 0.7

_MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"\+?[\s()./-]*(?:\d[\s()./-]*){10,15}")


class Certainty(StrEnum):
    """How we came to say what a column means."""

    HEADING = "heading"
    CONTENT = "content"
    CHOSEN = "chosen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. ``heading`` is unique in the file; ``samples`` are some of its values."""

    place: int
    heading: str
    field: Field
    certainty: Certainty
    samples: tuple[str, ...] = ()
    filled: int = 0
    """How many of the rows have something in it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, and its rows below the headings."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    remarks: tuple[str, ...] = ()


def lay_out(table: Table) -> Layout:
    """Find the headings and guess what each column means."""
    above, heading_row = _heading_row(table.rows)
    rows = table.rows[above + 1 :] if heading_row else [row for row in table.rows if any(row.cells)]
    remarks: list[str] = []
    if heading_row is None:
        remarks.append("The file has no headings, so columns were recognised by what is in them.")
    elif any(any(row.cells) for row in table.rows[:above]):
        remarks.append(f"The headings are in row {heading_row.number}; what is above them was left out.")
    headings = _unique(heading_row.cells if heading_row else [""] * table.width)
    columns = [_guess(place, heading, rows) for place, heading in enumerate(headings)]
    return Layout(tuple(_without_repeats(columns)), rows, tuple(remarks))


def correct(columns: Sequence[Column], chosen: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns with what the organiser chose. Raises :class:`BadDetails` for an unknown heading or field."""
    by_heading = {plain_heading(column.heading): column.heading for column in columns}
    wanted: dict[str, Field] = {}
    for heading, name in chosen.items():
        known = by_heading.get(plain_heading(heading)) or next(
            (c.heading for c in columns if c.heading == heading), None
        )
        if known is None:
            there = ", ".join(f"“{column.heading}”" for column in columns)
            raise BadDetails(f"There is no column “{heading}” in this file. There are: {there}.")
        wanted[known] = _field(name)
    corrected = [
        replace(column, field=wanted[column.heading], certainty=Certainty.CHOSEN)
        if column.heading in wanted and wanted[column.heading] is not column.field
        else column
        for column in columns
    ]
    return tuple(_without_repeats(sorted(corrected, key=lambda column: column.certainty is not Certainty.CHOSEN)))


def _field(name: str) -> Field:
    plain = plain_heading(name)
    for field in Field:
        if plain in {plain_heading(field.value), plain_heading(field.name), plain_heading(LABELS[field])}:
            return field
    raise BadDetails(f"“{name}” is not something that a column can mean. Choose from: {', '.join(Field)}.")


def _heading_row(rows: Sequence[Row]) -> tuple[int, Row | None]:
    best, best_score = -1, 0
    first = next((place for place, row in enumerate(rows) if any(row.cells)), 0)
    for place, row in enumerate(rows[: first + ROWS_ABOVE_HEADINGS]):
        score = sum(1 for cell in row.cells if cell and known_heading(cell))
        if score > best_score and not any(_MAILBOX.fullmatch(cell) for cell in row.cells):
            best, best_score = place, score
    if best >= 0 and (best_score > 1 or best == first):
        return best, rows[best]
    if any(_MAILBOX.fullmatch(cell) or _NUMBER.fullmatch(cell) for cell in rows[first].cells):
        return -1, None
    return first, rows[first]


def _unique(headings: Sequence[str]) -> list[str]:
    taken: dict[str, int] = {}
    unique = []
    for place, heading in enumerate(headings):
        heading = " ".join(heading.split())[:120] or f"Column {_letters(place)}"
        key = plain_heading(heading) or heading
        taken[key] = taken.get(key, 0) + 1
        unique.append(heading if taken[key] == 1 else f"{heading} ({taken[key]})")
    return unique


def _letters(place: int) -> str:
    letters = chr(ord("A") + place % 26)
    return letters if place < 26 else _letters(place // 26 - 1) + letters


def _guess(place: int, heading: str, rows: Sequence[Row]) -> Column:
    filled = [row.cells[place] for row in rows if row.cells[place]]
    column = Column(
        place=place,
        heading=heading,
        field=Field.KEEP_IN_NOTES,
        certainty=Certainty.UNKNOWN,
        samples=tuple(dict.fromkeys(filled[:50]))[:SAMPLES],
        filled=len(filled),
    )
    known = known_heading(re.sub(r" \(\d+\)$", "", heading))
    if known is not None:
        return replace(column, field=_by_content(known, filled), certainty=Certainty.HEADING)
    looked_at = filled[:ROWS_LOOKED_AT]
    for pattern, field in ((_MAILBOX, Field.EMAIL), (_NUMBER, Field.PHONE)):
        if looked_at and sum(1 for cell in looked_at if pattern.fullmatch(cell)) >= MOSTLY * len(looked_at):
            return replace(column, field=field, certainty=Certainty.CONTENT)
    return column


def _by_content(known: Field, filled: Sequence[str]) -> Field:
    """What a heading that can mean two things means here."""
    looked_at = filled[:ROWS_LOOKED_AT]
    numbers = sum(1 for cell in looked_at if _NUMBER.fullmatch(cell))
    mailboxes = sum(1 for cell in looked_at if "@" in cell)
    if known is Field.PHONE and looked_at and mailboxes > MOSTLY * len(looked_at):
        return Field.EMAIL
    if known in {Field.FULL_NAME, Field.NUMBER} and looked_at and mailboxes > MOSTLY * len(looked_at):
        return Field.EMAIL
    if known is Field.NUMBER and looked_at and numbers > MOSTLY * len(looked_at):
        return Field.PHONE if all(len(re.sub(r"\D", "", cell)) >= 10 for cell in looked_at) else known
    return known


def _without_repeats(columns: Sequence[Column]) -> list[Column]:
    """Only the first column of a field that a person has one of; a full name beside first and last is left out."""
    taken: set[Field] = set()
    kept = []
    fields = {column.field for column in columns}
    for column in columns:
        field = column.field
        if field is Field.FULL_NAME and {Field.FIRST_NAME, Field.LAST_NAME} <= fields:
            column = replace(column, field=Field.LEAVE_OUT)
        elif field in taken and field not in SEVERAL:
            column = replace(column, field=Field.KEEP_IN_NOTES)
        taken.add(field)
        kept.append(column)
    return sorted(kept, key=lambda column: column.place)


__all__ = ["HEADINGS", "Certainty", "Column", "Layout", "correct", "lay_out"]
