"""The printed list."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from sqlalchemy import Engine, select

from hub.calls import pdf, queries
from hub.calls.cli import call_list
from hub.calls.models import CallOutcome, PrintLog
from hub.calls.rules import OUTCOMES
from hub.calls.service import Result, record_results, set_details
from hub.db import read_session, write_session
from hub.errors import Conflict, HubError
from hub.participants.models import ContactPointKind, Participant
from tests.calls.calling import list_of
from tests.deliveries.people import NOW

NAMES = ["Siân", "Zażółć", "Łódź", "Ŵyn", "Đặng Thị", "Ōtani", "Ελένη", "Ђорђе"]
HOSTILE = [
    "#panic()",
    "[x](y)",
    "$ a^2 $",
    "\\ \" ' `",
    "A" * 200,
    "\u202eevil\u202c",
    "ابراهيم",
    "😀 🏳️‍🌈",
    "রহিমা",
    "<b>",
    "*_*",
]


def printed(*names: str) -> PdfReader:
    with write_session() as session:
        call_list_id, _ = list_of(session, *names)
    with read_session() as session:
        return PdfReader(BytesIO(pdf.render(queries.sheet(session, call_list_id), NOW)))


def text_of(document: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in document.pages).replace("\u200b", "").replace("\u00a0", " ")


def test_it_is_a_tagged_accessible_document(sqlite_database: Engine) -> None:
    document = printed(*NAMES)
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert document.metadata is not None
    assert str(document.metadata.title).startswith("Call list ")
    assert "/StructTreeRoot" in root


def test_it_holds_everybody_and_what_a_caller_needs(sqlite_database: Engine) -> None:
    with write_session() as session:
        call_list_id, _ = list_of(session, *NAMES)
        person = session.scalars(select(Participant).where(Participant.first_name == "Siân")).one()
        person.last_name, person.language, person.notes = "Llewelyn", "cy", "has a secret illness"
        person.how_to_talk, person.best_time_to_call = "Speak slowly", "Tuesday mornings"
        person.contact_points[0].address = "+441632960123"
        person.contact_points[0].kind = ContactPointKind.LANDLINE
        set_details(session, call_list_id, caller="Maureen", return_by=NOW.date())
    with read_session() as session:
        sheet = queries.sheet(session, call_list_id)
    text = text_of(PdfReader(BytesIO(pdf.render(sheet, NOW))))
    for words in (*NAMES, sheet.call_list.code, "Spring meeting", "Maureen", "22 November 2026", "page 1 of 3"):
        assert words in text
    for words in ("Siân L.", "01632 960 123", "landline", "Speaks Welsh", "Speak slowly", "Tuesday mornings"):
        assert words in text
    assert "Hello, is that [name]? The meeting is on Monday." in " ".join(text.split())
    assert all(f"{words.letter}" in text for words in OUTCOMES.values())
    assert "Llewelyn" not in text
    assert "illness" not in text


def test_the_header_is_repeated_and_no_row_is_split(sqlite_database: Engine) -> None:
    document = printed(*(f"Person {number:03}" for number in range(1, 41)))
    seen: list[str] = []
    for page in list(document.pages)[1:]:
        text = page.extract_text()
        assert "Name and number" in text
        here = [line for line in text.splitlines() if "Person 0" in line]
        assert len(here) == text.count("Note")
        seen += here
    assert len(seen) == 40


def test_nothing_in_a_name_is_taken_for_a_command(sqlite_database: Engine) -> None:
    text = text_of(printed(*HOSTILE, "Plain"))
    for name in ("#panic()", "[x](y)", "$ a^2 $", "<b>", "*_*", "evil", "Plain"):
        assert name in text
    assert "\u202e" not in text
    assert "A" * 200 in text.replace("\n", "")


def test_letters_without_a_font_do_not_stop_the_print(sqlite_database: Engine) -> None:
    document = printed("\U000f0000 Ann", "Bob")  # a private letter that no font has
    assert "Bob" in text_of(document)
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_whoever_has_been_told_is_not_printed_and_an_empty_list_is_not_printed(sqlite_database: Engine) -> None:
    with write_session() as session:
        call_list_id, [ann, bob] = list_of(session, "Ann", "Bob")
        record_results(session, call_list_id, [Result(ann, CallOutcome.TOLD)], by=None, now=NOW)
    with read_session() as session:
        text = text_of(PdfReader(BytesIO(pdf.render(queries.sheet(session, call_list_id), NOW))))
    assert "Bob" in text
    assert "Ann" not in text
    with write_session() as session:
        record_results(session, call_list_id, [Result(bob, CallOutcome.TOLD)], by=None, now=NOW)
        with pytest.raises(Conflict, match="left to ring"):
            pdf.render(queries.sheet(session, call_list_id), NOW)


def test_the_command_prints_by_number_or_code_and_notes_it(
    sqlite_database: Engine, tmp_path: Path, run_hub: Callable[..., CompletedProcess[str]]
) -> None:
    with write_session() as session:
        call_list_id, _ = list_of(session, "Ann", "Bob")
        code = queries.call_list(session, call_list_id).code
    out = tmp_path / "calls.pdf"
    done = run_hub("call-list", "print", code.lower(), "--out", str(out))
    assert (done.returncode, done.stdout) == (0, f"2 to ring, in {out}.\n")
    assert len(PdfReader(out).pages) == 2
    with read_session() as session:
        [note] = session.scalars(select(PrintLog))
    assert (note.call_list_id, note.rows) == (call_list_id, 2)


@pytest.mark.parametrize(
    ("name", "folder", "words"),
    [("9999", "", "not here"), ("KKKK", "", "no call list"), ("1", "no", "can’t be written")],
)
def test_the_command_says_what_is_wrong(
    sqlite_database: Engine, tmp_path: Path, name: str, folder: str, words: str
) -> None:
    with write_session() as session:
        list_of(session, "Ann")
    outcome = CliRunner().invoke(call_list, ["print", name, "--out", str(tmp_path / folder / "calls.pdf")])
    assert isinstance(outcome.exception, HubError)
    assert words in str(outcome.exception)
