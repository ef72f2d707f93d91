"""The one file of which every oddity is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.settings import settings
from hub.participants import queries
from hub.participants.importing.report import ImportReport, Outcome
from hub.participants.importing.runs import import_file
from hub.participants.models import ContactPointState, Format, Participant
from tests.participants.importing.importer import DEMO, Importer, row

BAD = ContactPointState.BAD


@pytest.fixture(scope="module")
def demo(people_engine: Engine) -> Iterator[tuple[Importer, ImportReport]]:
    """The file, imported once for all tests of this module."""
    with (
        pytest.MonkeyPatch.context() as patch,
        people_engine.connect().execution_options(writes=True) as connection,
        Session(connection) as session,
    ):
        patch.setenv("SANDBOX", "1")
        settings.cache_clear()
        importer = Importer(session, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
        yield importer, import_file(session, DEMO.name, DEMO.read_bytes(), importer.now)


@pytest.fixture
def our(demo: tuple[Importer, ImportReport]) -> Importer:
    return demo[0]


@pytest.fixture
def report(demo: tuple[Importer, ImportReport]) -> ImportReport:
    return demo[1]


def test_every_row_is_accounted_for(our: Importer, report: ImportReport) -> None:
    counts = report.counts
    assert counts.rows == 646
    assert [one.row for one in report.rows] == list(range(2, 648))
    assert counts.imported + counts.updated + counts.unchanged + counts.needs_a_look + counts.skipped == 646
    assert report.people_added == our.number() == 639
    assert row(report, 299).outcome is Outcome.SKIPPED


def test_importing_it_again_changes_nothing(our: Importer, report: ImportReport) -> None:
    again = import_file(our.session, DEMO.name, DEMO.read_bytes(), our.now + timedelta(days=1))
    assert (again.people_added, again.people_updated, again.counts.imported, again.counts.updated) == (0, 0, 0, 0)
    assert {one.change for one in again.rows} == {Outcome.UNCHANGED, Outcome.SKIPPED}
    assert report.people_added == our.number()


@pytest.mark.parametrize("number", [204, 398, 424, 443, 502, 567])
def test_repeated_rows_are_one_person(report: ImportReport, number: int) -> None:
    assert row(report, number).change is Outcome.UNCHANGED
    assert "The same person as in row" in row(report, number).notes[0]


def test_the_same_name_with_another_address_is_somebody_else(report: ImportReport) -> None:
    assert row(report, 211).look == ("Same name as row 67, but another address: taken as another person.",)
    assert row(report, 211).participant_id != row(report, 67).participant_id


def test_a_household_with_one_mailbox_stays_two_people(our: Importer) -> None:
    eleanor, paula = our.person("Eleanor Green"), our.person("Paula Green")
    assert [name for point in eleanor.points for _, name in point.shared_with] == ["Paula Green"]
    assert eleanor.id != paula.id


def test_preferences_become_an_order(our: Importer) -> None:
    assert our.order("Conor Rhodes") == ["phone 07700 900 539", "phone 01632 960 082", "text 07700 900 539"]
    assert our.order("Lorraine Summers") == ["text 07700 900 878", "phone 07700 900 878"]
    assert our.order("Harriet Hargreaves") == ["email richardbartlett@example.org"]
    conor = our.person("Conor Rhodes")
    words = "How do you like to be contacted?: ring me please; Other ways OK: Text"
    assert words in {event.wording for event in conor.events}
    assert "told us on the phone" in {event.wording for event in conor.events}


def test_what_was_not_agreed_to_is_kept_and_not_used(our: Importer) -> None:
    unranked = [point.channel for point in our.person("Harriet Hargreaves").points if point.rank is None]
    assert unranked == ["text", "phone"]


def test_several_numbers_in_one_cell_are_all_there(our: Importer) -> None:
    numbers = {point.shown for point in our.person("Valerie Bradshaw").points}
    assert numbers == {"07700 900 123", "07700 900 456", "01632 960 601"}


def test_whose_number_it_is_stays_beside_it(our: Importer) -> None:
    assert {point.label for point in our.person("Eileen Patel").points if point.channel != "email"} == {"mum"}


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Ben Williams", "999"),
        ("Amber Wilkinson", "12345"),
        ("Sylvia Ward", "07700 90012"),
        ("Shirley Knowles", "not an email"),
        ("Amanda Kelly", "someone@"),
    ],
)
def test_a_broken_address_is_kept_as_bad_and_reported(
    our: Importer, report: ImportReport, name: str, address: str
) -> None:
    (bad,) = [one for one in report.rows if any(f"“{address}” can’t be used" in line for line in one.look)]
    assert bad.name == name
    points = queries.person(our.session, bad.participant_id or 0).points
    assert [point.state for point in points if point.address == address] == [BAD]


def test_who_wants_texts_and_has_a_landline_is_called(our: Importer, report: ImportReport) -> None:
    assert "only a landline" in row(report, 25).look[0]
    assert our.order("Paige Wright") == ["phone 01632 960 050"]


def test_ways_that_the_hub_has_not_need_a_look(report: ImportReport) -> None:
    reasons = Counter(line for one in report.rows for line in one.look)
    assert reasons["How do you like to be contacted?: they would like WhatsApp, which this hub can’t do."] == 29
    assert any("“pigeon”" in reason for reason in reasons)


def test_details_come_through(our: Importer) -> None:
    marilyn = our.person("Marilyn Perkins").details
    assert marilyn.formats == {Format.LARGE_PRINT, Format.EASY_READ}
    assert (marilyn.joined_on, marilyn.best_time_to_call) == (date(2022, 4, 2), "mornings")
    assert (marilyn.notes, marilyn.how_to_talk) == ("OK to leave message", "OK to leave message")
    assert our.person("একরামুল খাতুন").details.language == "bn"
    assert our.person("Jan Białczyk").details.language == "pl"
    assert [name for _, name in our.person("Jan Białczyk").groups] == ["Older people's voice", "Riverside tenants"]


def test_a_date_that_is_none_is_kept_in_the_notes(our: Importer) -> None:
    roy = our.person("Roy Ellis").details
    assert roy.joined_on is None
    assert "Joined: last spring" in roy.notes


def test_a_formula_is_text(our: Importer) -> None:
    notes = our.session.scalars(select(Participant.notes).where(Participant.notes.like("=HYPER%"))).all()
    assert notes == ['=HYPERLINK("http://example.com","x")']
