"""Lists of people who opted out, and of addresses that fail: they stop messages and make nobody a subscriber."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.participants import queries
from hub.participants.importing.report import ImportReport, Outcome
from hub.participants.importing.runs import import_file, try_file
from hub.participants.models import ConsentKind, ContactPointState, Participant

PEOPLE = """Name,Email,Mobile,Prefers,Also ok
Ann Dale,dale@example.org,07700 900123,email,text
Ben Dale,dale@example.org,07700 900124,text,phone
"""
USABLE, BAD, OPTED_OUT = ContactPointState.USABLE, ContactPointState.BAD, ContactPointState.OPTED_OUT


def take(session: Session, now: datetime, text: str, filename: str = "list.csv", **options: object) -> ImportReport:
    report = import_file(session, filename, text.encode(), now, **options)  # type: ignore[arg-type]
    session.expire_all()
    return report


def states(session: Session, now: datetime, channel: str) -> dict[str, ContactPointState]:
    rows = queries.people(session, now=now).items
    return {
        row.full_name: point.state
        for row in rows
        for point in queries.person(session, row.id).points
        if point.channel == channel
    }


def test_a_mailchimp_list_of_the_unsubscribed_opts_out_everybody_with_the_address(
    session: Session, now: datetime
) -> None:
    take(session, now, PEOPLE)
    text = "Email Address,First Name,UNSUB_TIME\nDALE@example.org,Ann,2021-02-03 10:00:00\nx@example.org,X,2021-01-01\n"
    report = take(session, now, text, "unsubscribed_segment.csv")
    assert report.opt_outs
    assert (report.people_added, report.people_updated) == (0, 2)
    assert [row.outcome for row in report.rows] == [Outcome.UPDATED, Outcome.IMPORTED]
    assert states(session, now, "email") == {"Ann Dale": OPTED_OUT, "Ben Dale": OPTED_OUT}
    assert set(states(session, now, "text").values()) == {USABLE}
    (event,) = [
        event
        for event in queries.person(session, queries.people(session, now=now, search="ann").items[0].id).events
        if event.kind is ConsentKind.WITHDREW
    ]
    assert event.happened_at == datetime(2021, 2, 3, 10, 0, tzinfo=UTC)
    again = take(session, now, text, "unsubscribed_segment.csv")
    assert {row.outcome for row in again.rows} == {Outcome.UNCHANGED}


def test_an_address_that_nobody_has_yet_is_remembered(session: Session, now: datetime) -> None:
    take(session, now, "email,created\ndale@example.org,2020-01-01\n", "suppression_unsubscribes.csv")
    assert session.scalar(select(func.count()).select_from(Participant)) == 0
    report = take(session, now, PEOPLE)
    assert "it stays so" in " ".join(report.rows[0].notes)
    assert states(session, now, "email") == {"Ann Dale": OPTED_OUT, "Ben Dale": OPTED_OUT}


def test_bounces_are_bad_addresses_and_not_opt_outs(session: Session, now: datetime) -> None:
    take(session, now, PEOPLE)
    report = take(session, now, "email,reason,created\ndale@example.org,550 unknown,2020-01-01\n", "bounces.csv")
    assert report.people_updated == 2
    assert set(states(session, now, "email").values()) == {BAD}
    take(session, now, "email\ndale@example.org\n", opt_outs=True)
    assert set(states(session, now, "email").values()) == {OPTED_OUT}
    take(session, now, "email\ndale@example.org\n", "bounces.csv")
    assert set(states(session, now, "email").values()) == {OPTED_OUT}


def test_numbers_are_stopped_for_texts_and_landlines_for_calls(session: Session, now: datetime) -> None:
    take(session, now, PEOPLE + "Cat Lane,,01632 960001,phone,\n")
    take(session, now, "phone\n07700 900123\n01632 960001\n", opt_outs=True)
    assert states(session, now, "text") == {"Ann Dale": OPTED_OUT, "Ben Dale": USABLE}
    assert states(session, now, "phone") == {"Ann Dale": USABLE, "Ben Dale": USABLE, "Cat Lane": OPTED_OUT}


def test_rows_that_cannot_be_read_are_reported(session: Session, now: datetime) -> None:
    report = take(session, now, "email,name\nnot an email,Ann\n,Ben\n", opt_outs=True)
    assert [row.outcome for row in report.rows] == [Outcome.NEEDS_A_LOOK, Outcome.NEEDS_A_LOOK]
    assert [row.change for row in report.rows] == [Outcome.SKIPPED, Outcome.SKIPPED]


def test_the_dry_run_of_a_list_changes_nothing(session: Session, now: datetime) -> None:
    take(session, now, PEOPLE)
    report = try_file(session, "opt-outs.csv", b"email\ndale@example.org\n", now)
    assert report.people_updated == 2
    session.expire_all()
    assert set(states(session, now, "email").values()) == {USABLE}


@pytest.mark.parametrize(
    ("filename", "text", "is_list"),
    [
        ("contacts.csv", PEOPLE, False),
        ("contacts.csv", "Email,UNSUB_TIME\na@example.org,2020-01-01\n", True),
        ("contacts.csv", "Email,UNSUB_TIME\na@example.org,2020-01-01\nb@example.org,\n", False),
        ("cleaned_email_audience_export.csv", "Email Address,CLEAN_TIME\na@example.org,2020-01-01\n", True),
        ("suppression_bounces.csv", "email,created\na@example.org,1\n", True),
        ("opt outs 2026.csv", "Phone\n07700 900123\n", True),
    ],
)
def test_such_a_list_is_recognised(session: Session, now: datetime, filename: str, text: str, is_list: bool) -> None:
    assert try_file(session, filename, text.encode(), now).opt_outs is is_list
    assert try_file(session, filename, text.encode(), now, opt_outs=not is_list).opt_outs is not is_list


def test_in_a_mixed_file_the_unsubscribed_come_in_opted_out(session: Session, now: datetime) -> None:
    take(session, now, "Name,Email,UNSUB_TIME\nAnn,a@example.org,2020-01-01\nBen,b@example.org,\n")
    assert states(session, now, "email") == {"Ann": OPTED_OUT, "Ben": USABLE}
