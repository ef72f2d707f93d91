"""From bytes to a table, whatever a spreadsheet program made of it."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import HubError
from hub.participants.importing.reading import MOST_COLUMNS, UnreadableFile, read_table

NAMES = "First name;Last name\r\nZoë;O’Connor – Smith\r\nJosé;Müller\r\n"


def cells(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_table(content).rows]


def workbook(*rows: list[object], sheet: str = "People") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_letters_survive_in_any_usual_encoding(encoding: str) -> None:
    assert cells(NAMES.encode(encoding))[1:] == [["Zoë", "O’Connor – Smith"], ["José", "Müller"]]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Imię;Nazwisko\nPaweł;Żółć\nGrażyna;Dąbrowska\nMałgorzata;Wójcik\n"),
        ("cp1251", "Имя;Фамилия\nИван;Петров\nОльга;Смирнова\nАлексей;Кузнецов\n"),
    ],
)
def test_other_alphabets_are_recognised_and_said(encoding: str, text: str) -> None:
    table = read_table(text.encode(encoding))
    assert table.rows[1].cells == text.splitlines()[1].split(";")
    assert encoding in table.remarks[0]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_out(separator: str) -> None:
    rows = [["Name", "Notes"], ["Ann", "one, two; three"], ["Ben", 'says "hi"\nand waves']]
    text = "\r\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    assert cells(text.encode()) == rows


def test_a_separator_that_the_file_states_is_believed() -> None:
    assert cells(b"sep=;\r\na,b;c\r\n1,2;3\r\n") == [["a,b", "c"], ["1,2", "3"]]


def test_rows_keep_the_numbers_that_a_spreadsheet_shows() -> None:
    table = read_table(b'Name,Note\n\nAnn,"two\nlines"\n,\nBen,x\n\n\n')
    assert [(row.number, row.cells) for row in table.rows] == [
        (1, ["Name", "Note"]),
        (2, ["", ""]),
        (3, ["Ann", "two\nlines"]),
        (4, ["", ""]),
        (5, ["Ben", "x"]),
    ]


def test_ragged_rows_and_zero_bytes_are_taken_in() -> None:
    assert cells(b"a,b\n1\n1,2,3\nAn\x00n,x\n") == [["a", "b", ""], ["1", "", ""], ["1", "2", "3"], ["Ann", "x", ""]]


def test_a_huge_cell_is_one_cell() -> None:
    assert len(cells(b'a,b\n"' + b"x" * 300_000 + b'",2\n')[1][0]) == 300_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b",,\n,,\n", "nothing in this file"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"BEGIN:VCARD\nFN:Ann", "vCard"),
        (b"<!doctype html><table>", "web page"),
        (b"PK\x03\x04broken", "workbook"),
        (b"\xd0\xcf\x11\xe0broken", "workbook"),
        (b"SQLite format 3\x00" + bytes(range(32)) * 20, "not a table"),
        (b'a,b\n"1,2\n3,4\n', "row 2 and never closed"),
        (b",".join(b"x" for _ in range(MOST_COLUMNS + 1)), "more than 200 columns"),
        (b"x\n" * 200_001, "more than 200,000 rows"),
        (b"x" * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ],
)
def test_what_is_no_table_is_refused_in_plain_words(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_table(content)


def test_a_workbook_gives_what_its_cells_show() -> None:
    content = workbook(
        ["Name", "Mobile", "Joined", "Seen", "At", "Member", "Share"],
        ["Ann", 7700900123.0, date(2026, 9, 17), datetime.fromisoformat("2026-09-17 10:30"), time(9, 30), True, 0.5],
        ["Ben", 4.47700900123e11, None, None, None, False, None],
    )
    assert cells(content) == [
        ["Name", "Mobile", "Joined", "Seen", "At", "Member", "Share"],
        ["Ann", "7700900123", "2026-09-17", "2026-09-17 10:30:00", "09:30", "yes", "0.5"],
        ["Ben", "447700900123", "", "", "", "no", ""],
    ]


def test_a_workbook_is_read_from_its_first_visible_sheet_and_says_what_was_not() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Hidden"
    book.active["A1"] = "no"
    book.active.sheet_state = "hidden"
    book.create_sheet("People")["B3"] = "Name"
    book.create_sheet("Archive")["A1"] = "no"
    content = io.BytesIO()
    book.save(content)
    table = read_table(content.getvalue())
    assert [(row.number, row.cells[-1]) for row in table.rows] == [(1, ""), (2, ""), (3, "Name")]
    assert table.remarks == ["Only the sheet “People” was read, and not “Archive”."]


def test_one_stray_cell_far_away_is_an_error_and_not_the_end_of_the_hub() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "Name"
    book.active["XFD1048576"] = "stray"
    content = io.BytesIO()
    book.save(content)
    with pytest.raises(UnreadableFile, match="too large when opened"):
        read_table(content.getvalue())


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unopened() -> None:
    content = io.BytesIO(workbook(["Name"]))
    with zipfile.ZipFile(content, "a") as bomb:
        bomb.writestr("xl/media/picture.png", b"x")
        bomb.infolist()[-1].file_size = 3 * 1024**3
    with pytest.raises(UnreadableFile, match="too large when opened"):
        read_table(content.getvalue())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_table_or_a_clear_error(content: bytes) -> None:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return
    try:
        table = read_table(content)
    except HubError as error:
        assert str(error).endswith((".", "first."))  # noqa: PT017 - either way is right
        return
    assert table.width > 0
    assert len({len(row.cells) for row in table.rows}) == 1
