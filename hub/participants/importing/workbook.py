"""Reads one workbook in a process of its own, so that a hostile or damaged file can hurt nothing else.

A sheet with one stray cell in its last row and column takes terabytes as a table, and a small archive can unpack to
anything. This process has little memory and time; when they run out, it ends, and the hub says so.
Usage: the file on standard input; one JSON line with the sheets' names, then one JSON line for each row of the sheet.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

MEMORY = 1_500 * 1024 * 1024
SECONDS = 60
PASSWORD, UNREADABLE = 3, 4
"""What this process ends with."""


def main(most_rows: int, most_columns: int) -> int:
    """Copy the first visible sheet with anything in it to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        book = CalamineWorkbook.from_object(BytesIO(sys.stdin.buffer.read()))
        sheet, others = _choose(book)
        _write({"sheet": sheet.name if sheet else "", "others": others})
        for number, row in enumerate(sheet.iter_rows() if sheet else ()):
            if number > most_rows:
                break
            _write([cell_text(cell) for cell in row[: most_columns + 1]])
    except PasswordError:
        return PASSWORD
    except (CalamineError, MemoryError, ValueError, OSError):
        return UNREADABLE
    return 0


def cell_text(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a point, days and times in ISO form."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e18 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.isoformat("minutes")
    if isinstance(cell, timedelta):
        minutes = int(cell.total_seconds() // 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(cell)


def _choose(book: CalamineWorkbook) -> tuple[CalamineSheet | None, list[str]]:
    chosen: CalamineSheet | None = None
    others: list[str] = []
    for sheet in book.sheets_metadata:
        if sheet.visible is not SheetVisibleEnum.Visible:
            continue
        if chosen is None:
            found = book.get_sheet_by_name(sheet.name)
            if found.total_height and found.total_width:
                chosen = found
        else:
            others.append(sheet.name)
    return chosen, others


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
