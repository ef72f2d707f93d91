"""Reading about people, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from hub.participants import queries, service
from hub.participants.models import ConsentSource, ContactPointState, Format
from hub.participants.queries import PeopleFilter, PeopleSort
from hub.participants.service import ParticipantDetails

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def filled(session: Session) -> None:
    _fill(session)


def _fill(session: Session) -> None:
    club = service.create_group(session, "Club").id
    board = service.create_group(session, "board").id

    def add(first: str, last: str, *points: tuple[str, str], **details: object) -> int:
        given = ParticipantDetails(first_name=first, last_name=last, **details)  # type: ignore[arg-type]
        person = service.create_participant(session, given, NOW)
        for rank, (channel, address) in enumerate(points, start=1):
            service.add_contact_point(session, person.id, channel, address, rank=rank, now=NOW)
        return person.id

    ann = add("Ann", "Dale", ("email", "ann@example.org"), ("text", "07700 900123"))
    jan = add("Jan", "Białczyk", ("text", "07700 900124"), known_as="Janek")
    add("Zoë", "Abel", formats=frozenset({Format.BRAILLE}))
    bob = add("Bob", "100%_Real")
    service.add_contact_point(session, bob, "email", "bob@example.org", now=NOW)
    gone = add("Gone", "Away", ("email", "gone@example.org"))
    service.archive_participant(session, gone, NOW)
    service.set_groups(session, ann, [club, board])
    service.pause(session, jan, NOW + timedelta(days=1), source=ConsentSource.WEB, now=NOW)
    service.opt_out(
        session, channel="email", address="ann@example.org", source=ConsentSource.EMAIL, wording="stop", now=NOW
    )
    session.expire_all()


def names(session: Session, **conditions: object) -> list[str]:
    return [row.full_name for row in queries.people(session, now=NOW, **conditions).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["Bob 100%_Real", "Zoë Abel", "Jan Białczyk", "Ann Dale"]),
        ("ANN dale", ["Ann Dale"]),
        ("bialczyk", ["Jan Białczyk"]),
        ("białcz", ["Jan Białczyk"]),
        ("janek", ["Jan Białczyk"]),
        ("zoe", ["Zoë Abel"]),
        ("07700 900124", ["Jan Białczyk"]),
        ("+44 (0)7700-900 124", ["Jan Białczyk"]),
        ("900123", ["Ann Dale"]),
        ("ann@example", ["Ann Dale"]),
        ("100%_", ["Bob 100%_Real"]),
        ("%", ["Bob 100%_Real"]),
        ("nobody", []),
        ("\x00", ["Bob 100%_Real", "Zoë Abel", "Jan Białczyk", "Ann Dale"]),
    ],
)
def test_people_are_found_however_they_are_typed(session: Session, search: str, found: list[str]) -> None:
    assert names(session, search=search) == found


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (PeopleFilter.NO_WAY, ["Bob 100%_Real", "Zoë Abel"]),
        (PeopleFilter.NOTHING_CHOSEN, ["Bob 100%_Real"]),
        (PeopleFilter.OPTED_OUT, ["Ann Dale"]),
        (PeopleFilter.BAD, []),
        (PeopleFilter.PAUSED, ["Jan Białczyk"]),
        (PeopleFilter.FORMAT, ["Zoë Abel"]),
        (PeopleFilter.LEFT, ["Gone Away"]),
    ],
)
def test_the_list_can_be_narrowed_down(session: Session, only: PeopleFilter, found: list[str]) -> None:
    assert names(session, only=only) == found


def test_a_row_shows_the_contact_point_that_is_tried_first(session: Session) -> None:
    rows = {row.full_name: row for row in queries.people(session, now=NOW).items}
    ann = rows["Ann Dale"]
    assert (ann.channel, ann.address, ann.no_way, ann.groups) == ("text", "07700 900 123", False, ("board", "Club"))
    assert (rows["Zoë Abel"].channel, rows["Zoë Abel"].no_way) == ("", True)
    assert rows["Jan Białczyk"].paused_until == NOW + timedelta(days=1)


def test_people_can_be_asked_for_by_channel_state_and_group(session: Session) -> None:
    assert names(session, channel="text") == ["Jan Białczyk", "Ann Dale"]
    assert names(session, state=ContactPointState.OPTED_OUT) == ["Ann Dale"]
    club = next(group.id for group in queries.groups(session) if group.name == "Club")
    assert names(session, group_id=club) == ["Ann Dale"]
    assert names(session, group_id=club + 999) == []


def test_pages_add_up_and_any_page_number_is_answered(session: Session) -> None:
    page = queries.people(session, now=NOW, page=2, per_page=3)
    assert ([row.full_name for row in page.items], page.total, page.pages) == (["Ann Dale"], 4, 2)
    assert queries.people(session, now=NOW, page=99, per_page=3).total == 4
    assert queries.people(session, now=NOW, page=-1, per_page=0).page == 1
    assert names(session, sort=PeopleSort.NEWEST)[0] == "Bob 100%_Real"
    assert names(session, sort=PeopleSort.NAME_BACKWARDS)[0] == "Ann Dale"


def test_the_numbers_on_the_home_page_are_the_sizes_of_the_lists(session: Session) -> None:
    counts = queries.people_counts(session, NOW)
    assert counts.people == len(names(session))
    for only in (PeopleFilter.NO_WAY, PeopleFilter.NOTHING_CHOSEN, PeopleFilter.BAD, PeopleFilter.OPTED_OUT):
        assert getattr(counts, only.value) == len(names(session, only=only))
    assert (counts.paused, counts.left) == (1, 1)


def test_the_page_of_a_person_names_who_shares_their_address(session: Session) -> None:
    ben = service.create_participant(session, ParticipantDetails(first_name="Ben"), NOW)
    service.add_contact_point(session, ben.id, "text", "07700 900123", rank=1, now=NOW)
    point = queries.person(session, ben.id).points[0]
    assert [name for _, name in point.shared_with] == ["Ann Dale"]
    with pytest.raises(service.NobodyThere):
        queries.person(session, 0)
