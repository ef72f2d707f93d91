"""From a spreadsheet to people, on the web."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from hub.db import read_session
from hub.participants.models import Participant
from tests.web.conftest import Visitor

CONTACTS = (
    "First name;Last name;E-mail;Handy;How do you like to be contacted?\n"
    "Joan;Scott;joan@example.org;07700 900712;ring me please\n"
    "Leon;Thomas;;;Text\n"
    "=cmd|'/c calc'!A1;Evil;evil@example.org;;\n"
)


def upload(visitor: Visitor, content: str | bytes, name: str = "contacts.csv") -> TestResponse:
    data = content.encode() if isinstance(content, str) else content
    form = {"file": (io.BytesIO(data), name)}
    return visitor.post("/people/import", form, content_type="multipart/form-data")


def people_kept() -> int:
    with read_session() as session:
        return session.scalar(select(func.count()).select_from(Participant)) or 0


def test_a_file_goes_from_upload_to_people_and_nothing_is_kept_before_the_last_step(organiser: Visitor) -> None:
    columns = upload(organiser, CONTACTS)
    assert "What the columns mean" in columns.text
    assert "joan@example.org" in columns.text
    address = columns.request.path
    checked = organiser.post(address, {"column-3": "mobile"})
    assert "What would happen" in checked.text
    assert "3 rows in the file" in checked.text
    assert people_kept() == 0
    done = organiser.post(f"{address}/apply")
    assert "Imported" in done.text
    assert people_kept() == 3
    assert "was imported already" in organiser.post(f"{address}/apply").text
    assert "Imported" in organiser.get(address).text


def test_the_report_shows_what_needs_a_look_and_comes_as_a_harmless_spreadsheet(organiser: Visitor) -> None:
    address = upload(organiser, CONTACTS).request.path
    organiser.post(address)
    assert "Leon" in organiser.get(f"{address}/report?show=needs+a+look").text
    rows = list(csv.reader(io.StringIO(organiser.get(f"{address}/report.csv").text)))
    assert len(rows) == 4
    assert not any(cell.startswith("=") for row in rows for cell in row)


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"", "empty.csv", "empty"),
        (b"%PDF-1.7 not a table", "list.pdf", "Save the contacts as CSV"),
        (b"PK\x03\x04 broken", "broken.xlsx", "workbook"),
    ],
)
def test_a_file_that_is_no_table_is_explained(organiser: Visitor, content: bytes, name: str, problem: str) -> None:
    answer = upload(organiser, content, name)
    assert answer.status_code in {400, 422}
    assert problem in answer.text


def test_uploading_nothing_asks_for_a_file(organiser: Visitor) -> None:
    assert "Choose a file" in organiser.post("/people/import").text


def test_an_import_that_is_not_here_says_so(organiser: Visitor) -> None:
    for address in ("/people/import/77", "/people/import/77/report", "/people/import/77/report.csv"):
        assert organiser.get(address).status_code == 404


def test_everybody_is_exported(organiser: Visitor, person: Callable[..., int]) -> None:
    person("Zelda", ("text", "07700 900123"))
    answer = organiser.get("/people/export.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "Zelda" in answer.text
