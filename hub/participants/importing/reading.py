"""From the bytes of a contact file to a table of text, in any usual encoding, separator and kind of file."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from charset_normalizer import from_bytes

from hub.errors import HubError
from hub.participants.importing import workbook
from hub.participants.rules import clean

LARGEST_FILE = 20 * 1024 * 1024
LARGEST_UNPACKED = 500 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
SEPARATORS = (",", ";", "\t", "|")
ROWS_FOR_GUESSING = 100
BYTES_FOR_GUESSING = 100_000
_LAST = "\x1dend of file\x1d"

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MOST_CONTROL_CHARACTERS = 0.02
"""Text has hardly any; what has more is a picture, a program, a database …"""

_OTHER_ENCODINGS = ["cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp850", "mac_roman"]
_NOT_WINDOWS_1252 = re.compile(
    "\ufffd"  # a byte that means nothing there
    "|[a-zà-ÿ][À-ÞŠŽŒŸ]"  # a capital after a small letter
    "|[À-ÿ]{4}"  # a word of accented letters alone
    "|[A-Za-zÀ-ÿ][‚„†‡ˆ‰‹•˜¡¤¥¦¨©ª«¬®¯±²³¶¸¹¼½¾¿]"  # a sign where a letter belongs
)

_NOT_A_TABLE: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document"),
    (b"BEGIN:VCARD", "a set of contact cards (vCard)"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"Rar!", "a compressed file"),
)
_ARCHIVE = b"PK\x03\x04"
_WORKBOOK_STARTS = (_ARCHIVE, b"\xd0\xcf\x11\xe0")

DAMAGED = (
    "This file can’t be read as a workbook: it is damaged, of another kind, or too large when opened. "
    "Open it in a spreadsheet program and save it as CSV."
)

csv.field_size_limit(LARGEST_FILE)


class UnreadableFile(HubError):
    """400: the file can't be read as a table; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with the number that a spreadsheet shows beside it."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, all as wide as the widest. ``remarks`` is what the reader had to decide, in plain words."""

    rows: list[Row]
    remarks: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.rows[0].cells) if self.rows else 0


def read_table(content: bytes) -> Table:
    """Read a CSV, XLSX, XLS or ODS file. Raises :class:`UnreadableFile`.

    Encoding and separator are found out. Empty rows are kept, so that every row can be accounted for.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(f"This file is larger than {LARGEST_FILE // 1024**2} MB. Split it into smaller ones.")
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile("This file is empty.")
    for start, what in _NOT_A_TABLE:
        if content.lstrip()[: len(start)].lower() == start.lower():
            raise UnreadableFile(f"This is {what}. Save the contacts as CSV or as an Excel workbook (XLSX) first.")
    rows, remarks = _read_workbook(content) if content.startswith(_WORKBOOK_STARTS) else _read_text(content)
    return Table(_tidy(rows), remarks)


def _refuse_what_unpacks_to_too_much(content: bytes) -> None:
    """Look at what an XLSX or ODS archive says of itself; the process that reads it believes nothing of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        unpacked = LARGEST_UNPACKED + 1
    if unpacked > LARGEST_UNPACKED:
        raise UnreadableFile(DAMAGED)


def _read_workbook(content: bytes) -> tuple[list[list[str]], list[str]]:
    if content.startswith(_ARCHIVE):
        _refuse_what_unpacks_to_too_much(content)
    command = [sys.executable, str(Path(workbook.__file__)), str(MOST_ROWS), str(MOST_COLUMNS)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and the file comes on standard input
            command, input=content, capture_output=True, timeout=2 * workbook.SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFile("Reading this workbook takes too long. Save the sheet as CSV and try that.") from None
    if done.returncode == workbook.PASSWORD:
        raise UnreadableFile("This workbook is protected with a password. Save it without one.")
    if done.returncode:
        raise UnreadableFile(DAMAGED)
    first, *lines = done.stdout.splitlines()
    about = json.loads(first)
    remarks = []
    if about["others"]:
        names = ", ".join(f"“{name}”" for name in about["others"])
        remarks.append(f"Only the sheet “{about['sheet']}” was read, and not {names}.")
    return [json.loads(line) for line in lines], remarks


def _read_text(content: bytes) -> tuple[list[list[str]], list[str]]:
    text, remarks = _decode(content)
    start = text[:BYTES_FOR_GUESSING]
    if len(_CONTROL.findall(start)) > max(MOST_CONTROL_CHARACTERS * len(start), 10):
        raise UnreadableFile("This is not a table. Save the contacts as CSV or as an Excel workbook (XLSX) first.")
    text = text.lstrip("\ufeff")
    stated = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if stated:
        text = text[stated.end() :]
    separator = stated[1] if stated else _separator(text)
    return _parse(text, separator), remarks


def _decode(content: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), []
    if (unmarked := _utf_16_without_mark(content)) is not None:
        return content.decode(unmarked, errors="replace"), []
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        encoding = _single_byte_encoding(content)
        name = {"cp1252": "Windows-1252"}.get(encoding, encoding)
        remark = f"Letters beyond a to z were read as {name}. If names look wrong, save the file as UTF-8."
        return content.decode(encoding, errors="replace"), [remark]


def _utf_16_without_mark(content: bytes) -> str | None:
    sample = content[:BYTES_FOR_GUESSING]
    half = max(len(sample) // 2, 1)
    if sample[1::2].count(0) > 0.7 * half and sample[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.7 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _single_byte_encoding(content: bytes) -> str:
    telling = b"\n".join(line for line in content.splitlines() if not line.isascii())[:BYTES_FOR_GUESSING]
    # Spreadsheets in Western Europe write this one, and statistics on a few names can't tell it from its neighbours.
    if not _NOT_WINDOWS_1252.search(telling.decode("cp1252", errors="replace")):
        return "cp1252"
    best = from_bytes(telling, cp_isolation=_OTHER_ENCODINGS).best()
    return best.encoding if best else "cp1252"


def _separator(text: str) -> str:
    def score(separator: str) -> tuple[float, int]:
        widths = [len(row) for row in _first_rows(text, separator) if row]
        if not widths:
            return (0.0, 0)
        width, rows = Counter(widths).most_common(1)[0]
        return (rows / len(widths), width) if width > 1 else (0.0, 0)

    return max(SEPARATORS, key=score)


def _first_rows(text: str, separator: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text[:BYTES_FOR_GUESSING], newline=""), delimiter=separator)
    return [row for _, row in zip(range(ROWS_FOR_GUESSING), rows, strict=False)]


def _parse(text: str, separator: str) -> list[list[str]]:
    # NUL is not allowed inside CSV; the row at the end is there to be missed when a quotation mark swallows it.
    ending = "" if text.endswith(("\n", "\r")) else "\r\n"
    lines = io.StringIO(f"{text.replace(chr(0), '')}{ending}{_LAST}\r\n", newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=separator):
            rows.append(row)
            if len(rows) > MOST_ROWS + 1:
                break
    except csv.Error as error:
        raise UnreadableFile(f"Row {len(rows) + 1} can’t be read: {error}.") from None
    if rows and rows[-1] == [_LAST]:
        return rows[:-1]
    if len(rows) <= MOST_ROWS + 1:
        raise UnreadableFile(
            f'A quotation mark (") is opened in row {len(rows)} and never closed. Close it or take it out.'
        )
    return rows


def _tidy(rows: Sequence[list[str]]) -> list[Row]:
    if len(rows) > MOST_ROWS:
        raise UnreadableFile(f"This file has more than {MOST_ROWS:,} rows. Split it into smaller ones.")
    tidied = [
        Row(number, [clean(cell) if cell else cell for cell in cells]) for number, cells in enumerate(rows, start=1)
    ]
    width = max((_filled(row.cells) for row in tidied), default=0)
    if width > MOST_COLUMNS:
        raise UnreadableFile(f"This file has more than {MOST_COLUMNS} columns. Keep only those that matter here.")
    if width == 0:
        raise UnreadableFile("There is nothing in this file.")
    while not any(tidied[-1].cells):
        tidied.pop()
    for row in tidied:
        del row.cells[width:]
        row.cells.extend([""] * (width - len(row.cells)))
    return tidied


def _filled(cells: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
