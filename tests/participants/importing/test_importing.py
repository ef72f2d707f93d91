"""Importing people: who each row is about, what it changes, and that every row is accounted for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.participants import queries, service
from hub.participants.errors import BadDetails
from hub.participants.importing.old_files import drop_old_files
from hub.participants.importing.report import Outcome
from hub.participants.importing.runs import (
    AlreadyImported,
    NothingToImport,
    apply_import,
    columns_of,
    dry_run,
    report_of,
    start_import,
    try_file,
)
from hub.participants.models import ConsentSource, ContactPointState, Format, ImportRun, Participant
from hub.participants.service import ParticipantDetails
from tests.participants.importing.importer import DEMO, Importer, row

USABLE, BAD, OPTED_OUT = ContactPointState.USABLE, ContactPointState.BAD, ContactPointState.OPTED_OUT


@pytest.fixture
def our(session: Session, now: datetime) -> Importer:
    return Importer(session, now)


def test_a_dry_run_says_what_the_import_then_does_and_changes_nothing(our: Importer) -> None:
    content = DEMO.read_bytes()
    run = start_import(our.session, DEMO.name, content, None, our.now)
    dry = dry_run(our.session, run.id, None, our.now)
    assert (our.number(), queries.groups(our.session)) == (0, [])
    real = apply_import(our.session, run.id, None, our.now)
    assert not dry.applied
    assert real.applied
    assert [(one.row, one.outcome, one.look, one.notes) for one in dry.rows] == [
        (one.row, one.outcome, one.look, one.notes) for one in real.rows
    ]
    kept = report_of(our.session, run.id)
    assert (kept.rows, kept.people_added, kept.counts) == (real.rows, 639, real.counts)
    with pytest.raises(AlreadyImported):
        apply_import(our.session, run.id, None, our.now)


def test_a_correction_of_the_columns_is_remembered(our: Importer) -> None:
    content = b"Name,Ways,Email\nAnn Dale,email,ann@example.org\n"
    run = start_import(our.session, "x.csv", content, None, our.now)
    assert dry_run(our.session, run.id, {"Ways": "preferred"}, our.now).kept_in_notes == []
    assert [column.field.value for column in columns_of(our.session, run.id)] == ["full name", "preferred", "email"]
    apply_import(our.session, run.id, None, our.now)
    assert our.order("Ann Dale") == ["email ann@example.org"]
    with pytest.raises(BadDetails):
        our.take("Name\nAnn", columns={"Nmae": "email"})


def test_files_that_nobody_applies_are_forgotten_after_a_week(our: Importer) -> None:
    run = start_import(our.session, "x.csv", b"Name\nAnn\n", None, our.now)
    assert drop_old_files(our.session, our.now + timedelta(days=6)) == 0
    assert drop_old_files(our.session, our.now + timedelta(days=8)) == 1
    our.session.expire_all()
    with pytest.raises(AlreadyImported, match="not kept any longer"):
        dry_run(our.session, run.id, None, our.now)


def test_a_trial_leaves_no_trace(our: Importer) -> None:
    report = try_file(our.session, "x.csv", b"Name,Group\nAnn,Club\n", our.now)
    assert (report.counts.imported, our.number()) == (1, 0)
    assert our.session.scalars(select(ImportRun)).all() == []


def test_a_file_that_names_nobody_is_refused(our: Importer) -> None:
    with pytest.raises(NothingToImport, match="“Colour”, “Size”"):
        our.take("Colour,Size\nred,1\n")


def test_a_row_with_neither_name_nor_address_is_reported(our: Importer) -> None:
    report = our.take("Name,Email,Notes\n,,orphan\nAnn,,\n")
    assert row(report, 2).outcome is Outcome.NEEDS_A_LOOK
    assert row(report, 2).change is Outcome.SKIPPED
    assert our.number() == 1


def test_a_person_without_a_name_is_called_by_the_address(our: Importer) -> None:
    report = our.take("Email\nann@example.org\n")
    assert "no name" in row(report, 2).look[0]
    assert our.person("ann@example.org").name == "ann@example.org"
    assert our.take("Email\nann@example.org\n").counts.imported == 0
    our.take("Name,Email\nBen Hall,ben@example.org\n")
    known = our.take("Email,Groups\nben@example.org,Club\n")
    assert (known.people_added, known.people_updated) == (0, 1)
    assert our.person("Ben Hall").groups[0][1] == "Club"


def test_people_of_whom_only_addresses_are_known_get_the_usual_order_and_the_row_says_so(our: Importer) -> None:
    report = our.take("Name,Phone,Email\nAnn Dale,07700 900123,a@example.org\n")
    assert our.order("Ann Dale") == ["email a@example.org", "text 07700 900 123", "phone 07700 900 123"]
    assert row(report, 2).notes == ("No preference given: email first.",)


def test_an_empty_cell_never_empties_what_is_known(our: Importer) -> None:
    our.take("Name,Known as,Email,Notes,Joined,Language\nAnn Dale,Annie,a@example.org,old,1/2/2020,Welsh\n")
    report = our.take("Name,Known as,Email,Notes,Joined,Language\nAnn Dale,,a@example.org,,,\n")
    assert row(report, 2).outcome is Outcome.UNCHANGED
    details = our.person("Ann Dale").details
    assert (details.known_as, details.notes, details.joined_on, details.language) == (
        "Annie",
        "old",
        date(2020, 2, 1),
        "cy",
    )


def test_changes_are_told_field_by_field(our: Importer) -> None:
    our.take("ID,First name,Last name,Email,Notes\n7,Ann,Smith,a@example.org,first\n")
    report = our.take("ID,First name,Last name,Email,Notes,Groups\n7,Ann,Jones,b@example.org,second,Club\n")
    assert row(report, 2).notes == (
        "Last name: Smith → Jones.",
        "Notes: 1 added.",
        "Email: b@example.org added.",
        "Order: First email, then email.",
        "Groups: Club added.",
    )
    ann = our.person("Ann Jones")
    assert ann.details.notes == "first\nsecond"
    assert our.person("Ann Jones").id == queries.people(our.session, now=our.now, search="jones b@example").items[0].id


def test_capitals_alone_are_no_change(our: Importer) -> None:
    our.take("First name,Last name,Email\nKATE,Connolly,K@EXAMPLE.ORG\n")
    report = our.take("First name,Last name,Email\nKate,Connolly,k@example.org\n")
    assert row(report, 2).outcome is Outcome.UNCHANGED


def test_somebody_is_recognised_by_the_name_that_they_use(our: Importer) -> None:
    our.take("First name,Last name,Known as,Email\nRobert,Hall,Bob,bob@example.org\n")
    report = our.take("First name,Last name,Email\nBob,Hall,bob@example.org\n")
    assert row(report, 2).outcome is Outcome.UNCHANGED
    assert our.person("Robert Hall").name == "Bob"


def test_rows_about_one_person_are_put_together_and_differences_are_shown(our: Importer) -> None:
    text = "Name,Email,Language,Prefers\nAnn Dale,a@example.org,Welsh,email\nAnn Dale,a@example.org,Polish,text\n"
    report = our.take(text + "Ann Dale,a@example.org,,\n")
    assert row(report, 3).look == (
        "Language: this row says “pl” and row 2 says “cy”, which was kept.",
        "How to contact them: this row says “Prefers: text” and row 2 says “Prefers: email”, which was kept.",
    )
    assert row(report, 4).outcome is Outcome.UNCHANGED
    again = our.take(text)
    assert (again.people_added, again.people_updated) == (0, 0)


def test_different_numbers_elsewhere_are_different_people(our: Importer) -> None:
    our.take("Member number,Name,Email\n1,John Smith,j@example.org\n2,John Smith,j@example.org\n")
    assert our.number() == 2


def test_a_later_choice_of_the_person_stays(our: Importer) -> None:
    text = "Name,Prefers,Also ok,Email,Mobile\nAnn Dale,email,text,a@example.org,07700 900123\n"
    our.take(text)
    ann = our.person("Ann Dale")
    chosen = [point.id for point in reversed(ann.points) if point.rank is not None]
    service.rank_contact_points(our.session, ann.id, chosen, source=ConsentSource.WEB, now=our.now)
    assert row(our.take(text), 2).outcome is Outcome.UNCHANGED
    report = our.take(text.replace("Dale,email,text", "Dale,email,"))
    assert "have chosen another order since" in " ".join(row(report, 2).look)
    assert our.order("Ann Dale") == ["text 07700 900 123", "email a@example.org"]


def test_an_opt_out_is_never_undone(our: Importer) -> None:
    text = "Name,Prefers,Email,Mobile\nAnn Dale,text,a@example.org,07700 900123\n"
    our.take(text)
    service.opt_out(
        our.session, channel="text", address="07700900123", source=ConsentSource.TEXT, wording="STOP", now=our.now
    )
    assert row(our.take(text), 2).outcome is Outcome.UNCHANGED
    report = our.take("Name,Mobile\nBen Dale,07700 900123\n")
    assert "it stays so" in " ".join(row(report, 2).notes)
    for name in ("Ann Dale", "Ben Dale"):
        states = {point.channel: point.state for point in our.person(name).points if point.channel != "email"}
        assert states == {"text": OPTED_OUT, "phone": USABLE}


def test_a_refusal_in_their_words_is_an_opt_out_with_those_words(our: Importer) -> None:
    text = "Name,Contact preference,Email,Mobile\nAnn Dale,email - NOT phone,a@example.org,07700 900123\n"
    our.take(text)
    ann = our.person("Ann Dale")
    assert {point.channel: point.state for point in ann.points} == {"email": USABLE, "text": USABLE, "phone": OPTED_OUT}
    assert ("withdrew", "phone", "Contact preference: email - NOT phone") in {
        (event.kind.value, event.channel, event.wording) for event in ann.events
    }
    service.opt_in(
        our.session, channel="phone", address="07700900123", source=ConsentSource.WEB, wording="ok now", now=our.now
    )
    assert row(our.take(text), 2).outcome is Outcome.UNCHANGED
    assert {point.state for point in our.person("Ann Dale").points} == {USABLE}


def test_who_wants_no_contact_gets_none(our: Importer) -> None:
    our.take("Name,Prefers,Email,Mobile\nAnn Dale,do not contact me,a@example.org,07700 900123\n")
    assert {point.state for point in our.person("Ann Dale").points} == {OPTED_OUT}
    assert our.order("Ann Dale") == []


def test_civicrm_flags_stop_what_they_say(our: Importer) -> None:
    our.take(
        "Contact ID,First Name,Last Name,Email,Mobile,Do Not Email,Do Not Phone,Do Not Sms,"
        "No Bulk Emails (User Opt Out),Preferred Communication Method,Deceased\n"
        "1,Ann,Dale,a@example.org,07700 900123,,1,,,SMS,\n"
        "2,Ben,Hall,b@example.org,07700 900124,,,,1,,\n"
        "3,Cat,Lane,c@example.org,,,,,,,1\n"
    )
    assert our.order("Ann Dale") == ["text 07700 900 123"]
    assert {p.channel: p.state for p in our.person("Ann Dale").points}["phone"] is OPTED_OUT
    assert our.order("Ben Hall") == ["text 07700 900 124", "phone 07700 900 124"]
    assert {p.channel: p.state for p in our.person("Ben Hall").points}["email"] is OPTED_OUT
    assert queries.people_counts(our.session, our.now).left == 1


def test_nationbuilder_uses_what_was_opted_into(our: Importer) -> None:
    our.take(
        "nationbuilder_id,first_name,last_name,email,mobile_number,email_opt_in,mobile_opt_in,do_not_call\n"
        "1,Ann,Dale,a@example.org,07700 900123,true,false,true\n"
    )
    assert our.order("Ann Dale") == ["email a@example.org"]
    assert "email_opt_in: true" in {event.wording for event in our.person("Ann Dale").events}


def test_an_unclear_flag_is_looked_at_and_nothing_is_sent_there(our: Importer) -> None:
    report = our.take("Name,Email,Do not email\nAnn Dale,a@example.org,not sure\n")
    assert "neither yes nor no" in row(report, 2).look[0]
    assert our.order("Ann Dale") == []


def test_consent_that_was_not_given_is_no_agreement(our: Importer) -> None:
    report = our.take("Name,Email,Consent\nAnn,a@example.org,No\nBen,b@example.org,Yes\n")
    assert "have not agreed" in row(report, 2).look[0]
    assert (our.order("Ann"), our.person("Ann").events) == ([], [])
    assert [event.wording for event in our.person("Ben").events] == ["Consent: Yes"]


def test_a_couple_in_one_row_needs_a_look(our: Importer) -> None:
    report = our.take(
        'Name,Email\nMr & Mrs Smith,s@example.org\nDr Jane Roe,j@example.org\n"Hall, Ben",b@example.org\n'
    )
    assert "more than one person" in row(report, 2).look[0]
    assert our.person("Jane Roe").details.notes == "Name: Dr Jane Roe"
    assert our.person("Ben Hall").details.last_name == "Hall"


def test_someone_who_unsubscribed_is_not_texted_instead(our: Importer) -> None:
    report = our.take(
        "Name,Email,Mobile,Status\nAnn,a@example.org,07700 900123,Unsubscribed\nBen,b@example.org,,Active\n"
    )
    assert our.order("Ann") == []
    assert "unsubscribed" in row(report, 2).look[0]
    assert our.order("Ben") == ["email b@example.org"]


def test_quiet_hours_pauses_and_bsl_are_understood(our: Importer) -> None:
    report = our.take(
        "Name,Quiet hours,Paused until,Language,Time zone\n"
        "Ann,21:00-08:00,1/12/2026,BSL,Europe/Paris\n"
        "Ben,whenever,someday,Martian,Mars/Base\n"
    )
    ann = our.person("Ann")
    assert (ann.details.quiet_from, ann.details.quiet_until) == (time(21), time(8))
    assert ann.paused_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert (ann.details.language, ann.details.formats) == ("en", {Format.BSL})
    assert len(row(report, 3).look) == 4
    assert our.person("Ben").details.notes.splitlines() == [
        "Quiet hours: whenever",
        "Paused until: someday",
        "Language: Martian",
        "Time zone: Mars/Base",
    ]


def test_columns_that_are_not_known_are_kept_in_the_notes_and_listed(our: Importer) -> None:
    report = our.take("Name,Shoe size,Birthday,Email\nAnn Dale,38,1/1/1980,a@example.org\n")
    assert (report.kept_in_notes, report.left_out) == (["Shoe size"], ["Birthday"])
    assert our.person("Ann Dale").details.notes == "Shoe size: 38"


def test_texts_that_are_too_long_are_cut_and_kept_whole_in_the_notes(our: Importer) -> None:
    report = our.take(f"First name,Email\n{'x' * 300},a@example.org\n")
    assert "longer than 120" in row(report, 2).look[0]
    assert "x" * 300 in our.session.scalars(select(Participant.notes)).one()


def test_someone_who_has_left_is_not_brought_back(our: Importer) -> None:
    our.take("Name,Email\nAnn Dale,a@example.org\n")
    service.archive_participant(our.session, our.person("Ann Dale").id, our.now)
    report = our.take("Name,Email\nAnn Dale,a@example.org\n")
    assert "has left" in row(report, 2).look[0]
    assert queries.people_counts(our.session, our.now).left == 1


def test_an_import_matches_people_who_were_typed_in(our: Importer) -> None:
    ann = service.create_participant(our.session, ParticipantDetails(first_name="Ann", last_name="Dale"), our.now)
    service.add_contact_point(our.session, ann.id, "email", "a@example.org", rank=1, now=our.now)
    report = our.take("Name,Email,Mobile\nAnn Dale,A@example.org,07700 900123\n")
    assert row(report, 2).participant_id == ann.id
    assert our.order("Ann Dale") == ["email a@example.org", "text 07700 900 123", "phone 07700 900 123"]
