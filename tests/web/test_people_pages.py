"""Looking after people: finding them, and how each is reached."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from hub.db import read_session, utc_now, write_session
from hub.participants import service
from hub.participants.models import ConsentEvent, ConsentSource, ContactPoint, ContactPointState, Participant
from tests.web.conftest import Visitor

TEXT, MAIL, CALL = ("text", "07700 900123"), ("email", "zelda@example.org"), ("phone", "01632 960123")
HOSTILE = [
    "<script>alert(1)</script>",
    "\u202eabc\u202c مرحبا",
    "W" * 120,
    "'; DROP TABLE participants; --",
    "{{ 7*7 }}",
]


def points(participant_id: int) -> dict[str, ContactPoint]:
    with read_session() as session:
        found = session.scalars(select(ContactPoint).where(ContactPoint.participant_id == participant_id))
        return {point.channel: point for point in found}


def events(participant_id: int) -> list[ConsentEvent]:
    with read_session() as session:
        order = ConsentEvent.id
        return list(session.scalars(select(ConsentEvent).filter_by(participant_id=participant_id).order_by(order)))


def order_shown(page: str) -> list[str]:
    ranked = re.findall(r'Choice </span>\d+</span>.*?ew-way__address"><bdi>(.*?)</bdi>', page, re.DOTALL)
    return [address.strip() for address in ranked]


def test_an_empty_list_says_how_to_begin(organiser: Visitor) -> None:
    assert "Nobody is here yet" in organiser.get("/people").text


def test_a_person_is_added_with_a_way_to_reach_them(organiser: Visitor) -> None:
    asked_next = organiser.post("/people/add", {"first_name": "Joan", "last_name": "Scott", "language": "cy"})
    assert "Add a way to reach them" in asked_next.text
    way = {"channel": "text", "address": "07700 900 712", "agreed": "y"}
    page = organiser.post(asked_next.request.path, way).text
    assert "Joan Scott" in page
    assert "Welsh" in page
    assert order_shown(page) == ["07700 900712"] or order_shown(page) == ["07700 900 712"]


def test_a_person_without_a_name_is_not_added(organiser: Visitor) -> None:
    answer = organiser.post("/people/add", {"language": "en"})
    assert answer.status_code == 422
    assert "Give the person a name" in answer.text


@pytest.mark.parametrize(
    ("channel", "address", "problem"),
    [
        ("text", "01632 960123", "landline"),
        ("text", "not a number", "number"),
        ("email", "nobody", "email"),
        ("email", "", "Enter a phone number, an email address or an account"),
        ("email", "x" * 400, "up to 320"),
    ],
)
def test_an_address_that_will_not_do_is_explained_beside_its_field(
    organiser: Visitor, person: Callable[..., int], channel: str, address: str, problem: str
) -> None:
    answer = organiser.post(f"/people/{person()}/ways/add", {"channel": channel, "address": address})
    assert answer.status_code == 422
    assert problem in answer.text.split('id="address-error"')[-1].split("</p>")[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_ever_shown_as_text(organiser: Visitor, person: Callable[..., int], name: str) -> None:
    participant_id = person(name, MAIL, known_as=name, notes=name)
    for address in ("/people", f"/people/{participant_id}", f"/people/{participant_id}/edit"):
        text = organiser.get(address).text
        assert "<script>alert" not in text
        assert "49" not in re.findall(r"<h1.*?</h1>", text, re.DOTALL)[0]
    archived = organiser.post(f"/people/{participant_id}/archive").text
    assert "<script>alert" not in archived


def test_a_name_that_is_too_long_keeps_what_was_typed(organiser: Visitor) -> None:
    answer = organiser.post("/people/add", {"first_name": "W" * 300, "language": "en"})
    assert answer.status_code == 422
    assert "up to 120 characters" in answer.text
    assert "W" * 300 in answer.text


def test_people_are_found_by_part_of_a_name_or_number(organiser: Visitor, person: Callable[..., int]) -> None:
    person("Joan", TEXT)
    person("Leon", MAIL)
    assert "Joan" in organiser.get("/people?search=joa").text
    found = organiser.get("/people?search=07700900123").text
    assert "Joan" in found
    assert "Leon" not in found
    assert "Nobody fits" in organiser.get("/people?search=zzz").text


@pytest.mark.parametrize(
    "query", ["page=99999999999", "page=-1", "page=x", "show=nonsense", "sort=nonsense", "group=abc", "channel=pigeon"]
)
def test_a_mistyped_address_of_the_list_is_harmless(organiser: Visitor, person: Callable[..., int], query: str) -> None:
    person()
    assert organiser.get(f"/people?{query}").status_code == 200


def test_a_long_list_comes_in_pages(organiser: Visitor, person: Callable[..., int]) -> None:
    for number in range(51):
        person(f"Person{number:02}", last_name="")
    first = organiser.get("/people").text
    assert "1 to 50 of 51 people" in first
    assert "Person50" not in first
    assert "Person50" in organiser.get("/people?page=2").text


def test_the_buttons_change_the_order_and_keep_the_evidence(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT, MAIL, CALL)
    mail = points(participant_id)["email"].id
    page = organiser.post(f"/people/{participant_id}/ways/order", {"point": mail, "step": "up"}).text
    assert order_shown(page)[0] == "zelda@example.org"
    last = events(participant_id)[-1]
    assert (last.kind, last.source, last.wording) == (
        "chose",
        ConsentSource.ORGANISER,
        "First email, then text message, then phone call.",
    )
    assert last.recorded_by is not None


def test_a_way_that_is_not_to_be_used_is_kept_and_comes_back_with_undo(
    organiser: Visitor, person: Callable[..., int]
) -> None:
    participant_id = person("Zelda", TEXT, MAIL)
    text = points(participant_id)["text"].id
    page = organiser.post(f"/people/{participant_id}/ways/order", {"point": text, "step": "out"}).text
    assert order_shown(page) == ["zelda@example.org"]
    undo = re.search(r'name="order" value="([\d,]+)"', page)
    assert undo is not None
    organiser.post(f"/people/{participant_id}/ways/order-again", {"order": undo[1]})
    assert points(participant_id)["text"].rank == 1


def test_what_a_person_said_stops_and_starts_a_way(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    point = points(participant_id)["text"]
    address = f"/people/{participant_id}/ways/{point.id}"
    assert "Write down what they said" in organiser.post(f"{address}/stop", {"source": "call"}).text
    organiser.post(f"{address}/stop", {"source": "call", "wording": "No more texts please"})
    assert points(participant_id)["text"].state is ContactPointState.OPTED_OUT
    organiser.post(f"{address}/works")
    assert points(participant_id)["text"].state is ContactPointState.OPTED_OUT
    organiser.post(f"{address}/start", {"source": "paper", "wording": "You may text me again"})
    assert points(participant_id)["text"].state is ContactPointState.USABLE
    kept = [(one.kind, one.source, one.wording) for one in events(participant_id)]
    assert kept == [
        ("withdrew", "call", "No more texts please"),
        ("agreed", "paper", "You may text me again"),
    ]


def test_removing_a_way_can_be_undone_and_does_not_forget_an_opt_out(
    organiser: Visitor, person: Callable[..., int]
) -> None:
    participant_id = person("Zelda", TEXT, MAIL)
    point = points(participant_id)["text"]
    address = f"/people/{participant_id}/ways"
    organiser.post(f"{address}/{point.id}/stop", {"source": "call", "wording": "Stop"})
    page = organiser.post(f"{address}/{point.id}/remove").text
    assert "is removed" in page
    assert "text" not in points(participant_id)
    organiser.post(f"{address}/put-back", {"channel": "text", "address": point.address, "rank": "1"})
    assert points(participant_id)["text"].state is ContactPointState.OPTED_OUT


def test_a_way_of_somebody_else_cannot_be_touched(organiser: Visitor, person: Callable[..., int]) -> None:
    one, other = person("Joan", TEXT), person("Leon", MAIL)
    theirs = points(other)["email"].id
    for action in ("remove", "bad", "works", "stop"):
        assert organiser.post(f"/people/{one}/ways/{theirs}/{action}").status_code == 404
    assert organiser.post(f"/people/{one}/ways/order", {"point": theirs, "step": "up"}).status_code == 404
    assert points(other)["email"].state is ContactPointState.USABLE


def test_a_number_that_fails_is_marked_and_works_again(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    address = f"/people/{participant_id}/ways/{points(participant_id)['text'].id}"
    assert "We have no way to reach" in organiser.post(f"{address}/bad").text
    assert "We have no way to reach" not in organiser.post(f"{address}/works").text


def test_a_pause_needs_a_day_that_lies_ahead(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person()
    assert (
        "Choose a day in the future" in organiser.post(f"/people/{participant_id}/pause", {"until": "2020-01-01"}).text
    )
    assert "Choose the day" in organiser.post(f"/people/{participant_id}/pause", {"until": "soon"}).text
    assert "Nothing is sent before" in organiser.post(f"/people/{participant_id}/pause", {"until": "2099-01-01"}).text
    assert "Nothing is sent before" not in organiser.post(f"/people/{participant_id}/resume").text


def test_a_topic_is_declined_and_wanted_again(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person()
    with write_session() as session:
        topic_id = service.ensure_topics(session)[0].id
    address = f"/people/{participant_id}/topics/{topic_id}"
    assert "Does not want to hear about this" in organiser.post(address, {"wanted": "no"}).text
    assert "Does not want to hear about this" not in organiser.post(address, {"wanted": "yes"}).text


def test_a_topic_gets_an_order_of_its_own_by_buttons(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT, MAIL)
    with write_session() as session:
        topic_id = service.ensure_topics(session)[0].id
    mail = points(participant_id)["email"].id
    address = f"/people/{participant_id}/topics/{topic_id}/order"
    assert "This is the order for everything" in organiser.get(address).text
    moved = organiser.post(address, {"point": mail, "step": "up"}).text
    assert moved.index("zelda@example.org") < moved.index("07700")
    organiser.post(address, {"point": points(participant_id)["text"].id, "step": "out"})
    assert "In an order of its own" in organiser.get(f"/people/{participant_id}").text
    assert [point.rank for point in (points(participant_id)["text"], points(participant_id)["email"])] == [1, 2]
    assert events(participant_id)[-1].topic_id == topic_id
    assert "Yes, as above" in organiser.post(f"/people/{participant_id}/topics/{topic_id}", {"wanted": "yes"}).text
    assert organiser.post(address, {"point": 10**9, "step": "up"}).status_code == 404
    assert organiser.get(f"/people/{participant_id}/topics/99/order").status_code == 404


def test_leaving_the_group_deletes_nothing_and_can_be_undone(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    assert "Undo" in organiser.post(f"/people/{participant_id}/archive").text
    assert "Zelda" not in organiser.get("/people").text
    organiser.post(f"/people/{participant_id}/restore")
    assert "Zelda" in organiser.get("/people").text


def test_editing_details_keeps_what_the_form_does_not_show(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", time_zone="Europe/Warsaw")
    form = {"first_name": "Zelda", "language": "pl", "formats": ["large_print"], "quiet_from": "21:00"}
    refused = organiser.post(f"/people/{participant_id}/edit", form)
    assert "Quiet hours need both" in refused.text
    organiser.post(f"/people/{participant_id}/edit", {**form, "quiet_until": "08:30"})
    with read_session() as session:
        kept = session.get_one(Participant, participant_id)
        assert (kept.time_zone, kept.language, str(kept.quiet_until)) == ("Europe/Warsaw", "pl", "08:30:00")


def test_somebody_who_is_not_here_is_a_page_that_says_so(organiser: Visitor) -> None:
    answer = organiser.get("/people/999999")
    assert answer.status_code == 404
    assert "not here any more" in answer.text
    assert organiser.get(f"/people/{2**70}").status_code == 404


def test_a_group_is_made_filled_renamed_and_emptied(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    made = organiser.post("/people/groups", {"name": "Carers"})
    address = made.request.path
    assert "Nobody is in this group yet" in made.text
    assert "There is a group" in organiser.post("/people/groups", {"name": "carers"}).text
    assert "Zelda" in organiser.get(f"{address}?search=zel").text
    assert "Undo" in organiser.post(f"{address}/add", {"person": participant_id}).text
    assert "Carers forum" in organiser.post(address, {"name": "Carers forum"}).text
    assert "Zelda" in organiser.get(f"/people?group={address.rsplit('/', 1)[1]}").text
    assert "is out of the group" in organiser.post(f"{address}/remove", {"person": participant_id}).text


def test_the_history_says_when_and_how_it_was_told(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    with write_session() as session:
        service.opt_out(
            session, channel="text", address=TEXT[1], source=ConsentSource.TEXT, wording="STOP", now=utc_now()
        )
    page = organiser.get(f"/people/{participant_id}").text
    assert "STOP" in page
    assert "by text" in page
