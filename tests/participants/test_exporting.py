"""An export, read back, is the same people."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from hub.participants import queries, service
from hub.participants.exporting import HEADINGS, count_people, export_csv, export_json
from hub.participants.importing.exported import with_guard, without_guard
from hub.participants.importing.report import ImportReport, Outcome
from hub.participants.importing.runs import import_file
from hub.participants.models import (
    ConsentKind,
    ConsentSource,
    ContactPointState,
    Format,
    Group,
    ImportRun,
    Participant,
    Suppression,
    Topic,
)
from hub.participants.profile import Person
from hub.participants.service import ParticipantDetails
from tests.participants.importing.importer import DEMO

FORMULA = '=HYPERLINK("http://example.com","x")'


def export(session: Session) -> str:
    return "".join(export_csv(session))


def take(session: Session, text: str, now: datetime) -> ImportReport:
    report = import_file(session, "export.csv", text.encode(), now)
    session.expire_all()
    return report


def cells(text: str) -> list[list[str]]:
    """The cells of an export, without each person's number in this hub."""
    return [row[1:] for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))]


def empty(session: Session) -> None:
    for model in (Participant, Group, Topic, Suppression, ImportRun):
        session.execute(delete(model))
    session.expire_all()


def fill(session: Session, now: datetime) -> None:
    """Two people with everything that a person can have, and one with a name alone."""
    news = next(topic.id for topic in service.ensure_topics(session) if topic.name == "News")
    own = service.create_topic(session, "Bins: blue, brown").id
    details = ParticipantDetails(
        first_name="Ann",
        last_name="O’Connor–Smith",
        known_as="Annie",
        external_id="A-7",
        language="zh-Hant",
        time_zone="Europe/Paris",
        quiet_from=time(21),
        quiet_until=time(8, 30),
        best_time_to_call="after 6pm",
        how_to_talk="-speak slowly\nask for Ben",
        notes=f"{FORMULA}\n\nsecond “line”, with; signs",
        joined_on=date(2024, 2, 29),
        formats=frozenset({Format.BSL, Format.EASY_READ}),
    )
    ann = service.create_participant(session, details, now)
    points = [
        service.add_contact_point(session, ann.id, channel, address, rank=rank, label=label, now=now)
        for rank, channel, address, label in (
            (1, "phone", "07700 900123", "daughter Cat"),
            (2, "email", "ann@example.org", ""),
            (3, "social", "@ann@social.example", ""),
            (None, "phone", "+33 6 12 34 56 78", "=1+1"),
            (None, "text", "07700 900125", ""),
        )
    ]
    service.set_groups(session, ann.id, [service.create_group(session, name).id for name in ('Mums, "dads"', "Club")])
    service.rank_contact_points(
        session, ann.id, [points[1].id, points[0].id], topic_id=own, source=ConsentSource.WEB, now=now
    )
    service.decline_topic(session, ann.id, news, source=ConsentSource.WEB, now=now)
    service.mark_bad(session, [points[1].id], "The mailbox is full (552).", now)
    service.pause(session, ann.id, now + timedelta(days=3, hours=5), source=ConsentSource.CALL, now=now)
    service.opt_in(
        session, channel="social", address="@ann@social.example", source=ConsentSource.WEB, wording="ok", now=now
    )
    service.record(
        session,
        [service.Evidence(ann.id, ConsentKind.AGREED, ConsentSource.PAPER, "no form, but said so")],
        now,
    )
    ben = service.create_participant(session, ParticipantDetails(first_name="Ben", last_name="Hall"), now)
    service.add_contact_point(session, ben.id, "text", "07700 900123", rank=1, now=now)
    service.opt_out(session, channel="text", address="07700900123", source=ConsentSource.TEXT, wording="STOP", now=now)
    service.archive_participant(session, ben.id, now)
    service.create_participant(session, ParticipantDetails(last_name="@Solo"), now)


def people(session: Session, now: datetime) -> list[Person]:
    found = [*queries.people(session, now=now).items]
    found += queries.people(session, now=now, only=queries.PeopleFilter.LEFT).items
    return [queries.person(session, row.id) for row in found]


def what_counts(person: Person) -> tuple[object, ...]:
    """Everything about a person but numbers in this hub and moments of writing."""
    keys = {point.id: (point.channel, point.address) for point in person.points}
    return (
        person.details,
        sorted((p.channel, p.address, p.kind, p.label, p.rank or 0, p.state, p.state_reason) for p in person.points),
        sorted(
            (choice.topic, choice.declined, [keys[point_id] for point_id in choice.contact_point_ids])
            for choice in person.topics
        ),
        [name for _, name in person.groups],
        person.paused_until,
        person.archived_at is None,
    )


def test_an_export_read_into_an_empty_hub_gives_the_same_people(session: Session, now: datetime) -> None:
    fill(session, now)
    before = [what_counts(person) for person in people(session, now)]
    text = export(session)
    empty(session)
    assert count_people(session) == 0
    report = take(session, text, now)
    assert {row.outcome for row in report.rows} == {Outcome.IMPORTED}, [row.look for row in report.rows]
    assert [what_counts(person) for person in people(session, now)] == before
    assert cells(export(session)) == cells(text)


def test_an_export_read_into_the_same_hub_changes_nothing(session: Session, now: datetime) -> None:
    fill(session, now)
    text = export(session)
    report = take(session, text, now + timedelta(days=1))
    assert {row.outcome for row in report.rows} == {Outcome.UNCHANGED}, report.rows
    assert export(session) == text


def test_the_demo_people_survive_a_round_trip(session: Session, now: datetime) -> None:
    import_file(session, DEMO.name, DEMO.read_bytes(), now)
    text = export(session)
    same = take(session, text, now)
    assert (same.people_added, same.people_updated) == (0, 0)
    empty(session)
    assert take(session, text, now).people_added == 639
    assert cells(export(session)) == cells(text)


def test_what_is_typed_into_an_export_is_taken_up(session: Session, now: datetime) -> None:
    person = service.create_participant(session, ParticipantDetails(first_name="Ann", last_name="Dale"), now)
    service.add_contact_point(session, person.id, "email", "a@example.org", rank=1, now=now)
    text = export(session).replace("a@example.org,", "a@example.org; new@example.org,", 1).replace(",Dale,", ",Hill,")
    report = take(session, text, now)
    assert report.rows[0].look == ("new@example.org is not in the order of contact, so it is kept and not used.",)
    ann = queries.person(session, person.id)
    assert ann.full_name == "Ann Hill"
    assert [(point.address, point.rank) for point in ann.points] == [("a@example.org", 1), ("new@example.org", None)]


def test_two_of_a_household_with_one_name_stay_two(session: Session, now: datetime) -> None:
    for _ in range(2):
        person = service.create_participant(session, ParticipantDetails(first_name="John", last_name="Smith"), now)
        service.add_contact_point(session, person.id, "email", "smith@example.org", rank=1, now=now)
    text = export(session)
    assert take(session, text, now).people_added == 0
    empty(session)
    assert take(session, text, now).people_added == 2
    assert take(session, text, now).people_added == 0


@pytest.mark.parametrize("formula", [FORMULA, "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "'=1", "''=1"])
def test_a_formula_is_harmless_in_the_export_and_itself_after_the_import(formula: str) -> None:
    assert with_guard(formula).startswith("'")
    assert without_guard(with_guard(formula)) == formula


@pytest.mark.parametrize("text", ["", "Ann", "'quoted'", "O’Connor", "1=1"])
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert with_guard(text) == text
    assert without_guard(text) == text


def test_an_apostrophe_in_somebody_elses_file_is_left_alone(session: Session, now: datetime) -> None:
    take(session, "Name,Notes,Email\nAnn Dale,'=1+1,a@example.org\n", now)
    assert people(session, now)[0].details.notes == "'=1+1"


def test_the_json_export_has_the_same_cells(session: Session, now: datetime) -> None:
    assert json.loads("".join(export_json(session))) == []
    fill(session, now)
    rows = json.loads("".join(export_json(session)))
    assert [list(row) for row in rows] == [list(HEADINGS)] * 3
    assert rows[0]["Notes"].startswith(FORMULA)


line = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=25)
names = line.filter(lambda text: text.strip())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=names, last=line, notes=st.text(max_size=60), label=line, reason=line, group=names)
def test_any_text_survives_a_round_trip(
    sqlite_database: Engine, first: str, last: str, notes: str, label: str, reason: str, group: str
) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with sqlite_database.connect().execution_options(writes=True) as connection, Session(connection) as session:
        person = service.create_participant(
            session, ParticipantDetails(first_name=first, last_name=last, notes=notes), now
        )
        point = service.add_contact_point(session, person.id, "text", "07700 900123", rank=1, label=label, now=now)
        service.mark_bad(session, [point.id], reason, now)
        service.set_groups(session, person.id, [service.create_group(session, group).id])
        text = export(session)
        assert take(session, text, now).people_updated == 0, text
        state = queries.person(session, person.id).points[0].state
        empty(session)
        report = take(session, text, now)
        assert (report.people_added, report.rows[0].look) == (1, ())
        assert cells(export(session)) == cells(text)
        assert state is ContactPointState.BAD
