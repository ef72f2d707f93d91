"""Writing about people, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.participants import queries, service
from hub.participants.models import ConsentEvent, ConsentKind, ConsentSource, ContactPointState, Format, Suppression
from hub.participants.service import ParticipantDetails

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOBILE = "07700 900123"
USABLE, BAD, OPTED_OUT = ContactPointState.USABLE, ContactPointState.BAD, ContactPointState.OPTED_OUT


def add(session: Session, first: str = "Ann", last: str = "Dale", *points: tuple[str, str]) -> int:
    person = service.create_participant(session, ParticipantDetails(first_name=first, last_name=last), NOW)
    for rank, (channel, address) in enumerate(points, start=1):
        service.add_contact_point(session, person.id, channel, address, rank=rank, now=NOW)
    return person.id


def states(session: Session, participant_id: int) -> dict[tuple[str, str], ContactPointState]:
    session.expire_all()
    return {(point.channel, point.address): point.state for point in queries.person(session, participant_id).points}


def test_a_person_needs_a_name_and_nothing_else(session: Session) -> None:
    person = service.create_participant(session, ParticipantDetails(known_as="Bo"), NOW)
    assert (person.name, person.full_name, person.sort_name) == ("Bo", "Bo", "bo")
    with pytest.raises(service.BadDetails, match="name"):
        service.create_participant(session, ParticipantDetails(notes="x"), NOW)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"language": "Welsh!"}, "language code"),
        ({"time_zone": "Europe/Londn"}, "time zone"),
        ({"quiet_from": time(22)}, "both"),
        ({"first_name": "x" * 121}, "first name can have up to 120"),
    ],
)
def test_wrong_details_are_named(session: Session, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(service.BadDetails, match=message):
        service.create_participant(session, ParticipantDetails(**{"first_name": "Ann", **wrong}), NOW)  # type: ignore[arg-type]


def test_what_is_known_comes_back_as_it_was_given(session: Session) -> None:
    details = ParticipantDetails(
        first_name="Ann",
        external_id="77",
        language="cy",
        quiet_from=time(21),
        quiet_until=time(8, 30),
        formats=frozenset({Format.EASY_READ, Format.LARGE_PRINT}),
    )
    person = service.create_participant(session, details, NOW)
    session.expire_all()
    assert service.details_of(person) == details
    changed = ParticipantDetails(first_name="Ann", formats=frozenset({Format.BSL}))
    service.update_participant(session, person.id, changed, NOW)
    session.expire_all()
    assert service.details_of(person) == changed


def test_a_number_in_another_system_is_one_person_s(session: Session) -> None:
    details = ParticipantDetails(first_name="Bo", external_id="9")
    service.create_participant(session, details, NOW)
    with pytest.raises(service.AlreadyThere):
        service.create_participant(session, details, NOW)


def test_a_landline_is_never_texted(session: Session) -> None:
    person = add(session)
    with pytest.raises(service.BadAddress, match="landline"):
        service.add_contact_point(session, person, "text", "01632 960001", now=NOW)
    assert service.add_contact_point(session, person, "phone", "01632 960001", now=NOW).address == "+441632960001"


def test_an_address_is_there_once_per_person_and_channel(session: Session) -> None:
    person = add(session, "Ann", "Dale", ("email", "Ann@Example.org"))
    with pytest.raises(service.AlreadyThere):
        service.add_contact_point(session, person, "email", "ann@EXAMPLE.org", now=NOW)


def test_a_new_first_choice_moves_the_others_down(session: Session) -> None:
    person = add(session, "Ann", "Dale", ("email", "a@example.org"), ("text", MOBILE))
    service.add_contact_point(session, person, "phone", MOBILE, rank=1, now=NOW)
    session.expire_all()
    assert [(p.channel, p.rank) for p in queries.person(session, person).points] == [
        ("phone", 1),
        ("email", 2),
        ("text", 3),
    ]


def test_stop_from_a_shared_number_stops_texts_for_the_household_and_no_calls(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("text", MOBILE), ("phone", MOBILE))
    ben = add(session, "Ben", "Dale", ("text", MOBILE))
    how = {"channel": "text", "address": MOBILE, "source": ConsentSource.TEXT, "wording": "STOP", "now": NOW}
    assert service.opt_out(session, **how) == 2  # type: ignore[arg-type]
    assert service.opt_out(session, **how) == 0  # type: ignore[arg-type]
    assert states(session, ann) == {("text", "+447700900123"): OPTED_OUT, ("phone", "+447700900123"): USABLE}
    assert states(session, ben) == {("text", "+447700900123"): OPTED_OUT}
    events = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    assert [(e.participant_id, e.kind, e.wording) for e in events] == [
        (ann, ConsentKind.WITHDREW, "STOP"),
        (ben, ConsentKind.WITHDREW, "STOP"),
    ]


def test_one_person_of_a_household_can_stop_alone(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("email", "dale@example.org"))
    ben = add(session, "Ben", "Dale", ("email", "dale@example.org"))
    changed = service.opt_out(
        session,
        channel="email",
        address="DALE@example.org",
        source=ConsentSource.WEB,
        wording="Stop",
        now=NOW,
        participant_id=ben,
    )
    assert changed == 1
    assert states(session, ann) == {("email", "dale@example.org"): USABLE}
    assert session.scalars(select(Suppression)).all() == []


def test_an_opt_out_outlives_the_contact_point_and_meets_newcomers(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("text", MOBILE))
    service.opt_out(session, channel="text", address=MOBILE, source=ConsentSource.TEXT, wording="STOP", now=NOW)
    session.expire_all()
    service.remove_contact_point(session, queries.person(session, ann).points[0].id, NOW)
    cat = add(session, "Cat", "Dale", ("text", MOBILE), ("phone", MOBILE))
    assert states(session, cat) == {("text", "+447700900123"): OPTED_OUT, ("phone", "+447700900123"): USABLE}


def test_only_an_opt_in_brings_an_opt_out_back(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("text", MOBILE))
    point = queries.person(session, ann).points[0].id
    service.opt_out(session, channel="text", address=MOBILE, source=ConsentSource.TEXT, wording="STOP", now=NOW)
    assert service.mark_usable(session, point, NOW) == 0
    assert service.mark_bad(session, [point], "bounced", NOW) == 0
    service.change_contact_point(session, point, address="07700 900124", now=NOW)
    assert states(session, ann) == {("text", "+447700900124"): OPTED_OUT}
    start = {"channel": "text", "source": ConsentSource.TEXT, "wording": "START", "now": NOW}
    assert service.opt_in(session, address="07700 900124", **start) == 1  # type: ignore[arg-type]
    assert service.opt_in(session, address=MOBILE, **start) == 0  # type: ignore[arg-type]
    assert states(session, ann) == {("text", "+447700900124"): USABLE}
    assert session.scalars(select(Suppression)).all() == []


def test_a_topic_can_be_declined_and_heard_about_again(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("email", "a@example.org"))
    news = next(topic.id for topic in service.ensure_topics(session) if topic.name == "News")
    how = {"channel": "email", "address": "a@example.org", "source": ConsentSource.EMAIL, "now": NOW, "topic_id": news}
    assert service.opt_out(session, wording="no news", **how) == 1  # type: ignore[arg-type]
    assert service.opt_out(session, wording="no news", **how) == 0  # type: ignore[arg-type]
    assert [choice.topic for choice in queries.person(session, ann).topics if choice.declined] == ["News"]
    assert states(session, ann) == {("email", "a@example.org"): USABLE}
    assert service.opt_in(session, wording="news again", **how) == 1  # type: ignore[arg-type]
    assert not any(choice.declined for choice in queries.person(session, ann).topics)


def test_everything_can_be_stopped_at_once(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("email", "a@example.org"), ("text", MOBILE))
    assert service.opt_out_everywhere(session, ann, source=ConsentSource.CALL, wording="leave me be", now=NOW) == 2
    assert set(states(session, ann).values()) == {OPTED_OUT}
    assert [(e.kind, e.channel) for e in queries.person(session, ann).events] == [(ConsentKind.WITHDREW, "")]


def test_an_order_is_kept_with_evidence_for_everything_and_for_a_topic(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("email", "a@example.org"), ("text", MOBILE), ("phone", MOBILE))
    email, text, phone = (point.id for point in queries.person(session, ann).points)
    service.rank_contact_points(session, ann, [phone, email], source=ConsentSource.CALL, now=NOW)
    session.expire_all()
    person = queries.person(session, ann)
    assert [(point.id, point.rank) for point in person.points] == [(phone, 1), (email, 2), (text, None)]
    assert person.events[0].wording == "First phone call, then email."
    topic = service.ensure_topics(session)[0].id
    service.rank_contact_points(session, ann, [text], topic_id=topic, source=ConsentSource.WEB, now=NOW)
    assert queries.person(session, ann).topics[0].contact_point_ids == (text,)
    service.decline_topic(session, ann, topic, source=ConsentSource.WEB, now=NOW)
    assert queries.person(session, ann).topics[0].declined
    other = add(session, "Ben", "Hall", ("email", "b@example.org"))
    with pytest.raises(service.NobodyThere):
        service.rank_contact_points(session, other, [text], source=ConsentSource.WEB, now=NOW)


def test_a_pause_ends_by_itself_or_when_asked(session: Session) -> None:
    ann = add(session)
    with pytest.raises(service.BadDetails, match="future"):
        service.pause(session, ann, NOW, source=ConsentSource.WEB, now=NOW)
    service.pause(session, ann, NOW + timedelta(days=9), source=ConsentSource.WEB, now=NOW)
    assert queries.person(session, ann).events[0].wording == "Nothing until 1 December 2026."
    assert queries.people_counts(session, NOW).paused == 1
    assert queries.people_counts(session, NOW + timedelta(days=10)).paused == 0
    service.resume(session, ann, source=ConsentSource.WEB, now=NOW)
    assert queries.person(session, ann).paused_until is None


def test_a_bad_contact_point_can_be_corrected(session: Session) -> None:
    ann = add(session, "Ann", "Dale", ("email", "a@example.org"))
    point = queries.person(session, ann).points[0].id
    assert service.mark_bad(session, [point, point + 999], "The mailbox does not exist.", NOW) == 1
    assert queries.people_counts(session, NOW).bad == 1
    service.change_contact_point(session, point, address="ann@example.org", now=NOW)
    assert states(session, ann) == {("email", "ann@example.org"): USABLE}


def test_groups_hold_people_and_names_are_told_apart_without_capitals(session: Session) -> None:
    ann, ben = add(session), add(session, "Ben")
    group = service.create_group(session, " Ælfred's  club ").id
    with pytest.raises(service.AlreadyThere):
        service.create_group(session, "ÆLFRED'S CLUB")
    assert service.add_to_group(session, group, [ann, ben, ann]) == 2
    assert service.add_to_group(session, group, [ann]) == 0
    assert service.remove_from_group(session, group, [ben]) == 1
    service.rename_group(session, group, "Ælfred's Club")
    service.archive_participant(session, ann, NOW)
    assert [(row.name, row.people) for row in queries.groups(session)] == [("Ælfred's Club", 0)]
    service.restore_participant(session, ann, NOW)
    service.set_groups(session, ben, [group])
    assert [row.people for row in queries.groups(session)] == [2]
    service.delete_group(session, group)
    assert queries.people(session, now=NOW).total == 2
