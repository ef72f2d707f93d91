"""The people behind a number, as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from config.channels import CHANNELS
from hub.deliveries.queries import DeliveryRow
from hub.deliveries.wording import NEXT_STEPS, PLACES, REASONS, STATES
from hub.paging import Page

HEADINGS = ("Name", "Where they stand", "Way", "Address", "State", "Why", "What to do next", "Since")
PER_PAGE = 2_000
BYTE_ORDER_MARK = "\ufeff"
"""Without it, spreadsheets take the file for one in the computer's old character set."""


def csv_lines(page_of: Callable[[int], Page[DeliveryRow]]) -> Iterator[str]:
    """The file, piece by piece: ``page_of`` gives each page of people by its number."""
    yield BYTE_ORDER_MARK + _line(HEADINGS)
    number = 1
    while True:
        page = page_of(number)
        yield "".join(_line(_cells(row)) for row in page.items)
        if number >= page.pages:
            return
        number += 1


def _cells(row: DeliveryRow) -> tuple[str, ...]:
    channel = CHANNELS[row.channel].label if row.channel in CHANNELS else row.channel
    return (
        row.full_name,
        PLACES[row.place],
        channel,
        row.address,
        STATES[row.state],
        REASONS[row.why],
        NEXT_STEPS.get(row.why, ""),
        f"{row.state_at:%Y-%m-%d %H:%M} UTC",
    )


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula (OWASP, “CSV Injection”); phone numbers stay as they are."""
    if cell[:1] in {"=", "@", "-", "\t", "\r"} or (cell[:1] == "+" and not cell[1:].isdigit()):
        return "'" + cell
    return cell
