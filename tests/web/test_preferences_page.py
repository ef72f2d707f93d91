"""The page on which participants change how they are reached, by a signed link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from config.secret_key import secret_key
from hub.db import read_session, write_session
from hub.participants import service
from hub.participants.models import ConsentEvent, ConsentSource, ContactPoint, ContactPointState, Participant
from hub.tokens import Purpose, sign
from tests.web.conftest import Visitor

TEXT, MAIL = ("text", "07700 900123"), ("email", "zelda@example.org")


def link(participant_id: int, purpose: Purpose = Purpose.PREFERENCES) -> str:
    return f"/p/{sign(secret_key(), purpose, participant_id)}"


def point_of(participant_id: int, channel: str) -> ContactPoint:
    with read_session() as session:
        return session.scalars(select(ContactPoint).filter_by(participant_id=participant_id, channel=channel)).one()


def last_event(participant_id: int) -> ConsentEvent:
    with read_session() as session:
        found = select(ConsentEvent).filter_by(participant_id=participant_id).order_by(ConsentEvent.id.desc())
        return session.scalars(found.limit(1)).one()


def test_it_opens_without_signing_in_and_hides_most_of_each_address(
    anybody: Visitor, person: Callable[..., int]
) -> None:
    page = anybody.get(link(person("Zelda", TEXT, MAIL)))
    assert page.status_code == 200
    assert "Hello Zelda" in page.text
    assert "zelda@example.org" not in page.text
    assert "900123" not in page.text.replace(" ", "")
    assert "z•••@example.org" in page.text


@pytest.mark.parametrize("token", ["x", "AAAA" * 12, "é", "a" * 500])
def test_a_link_that_we_did_not_make_opens_nothing(anybody: Visitor, token: str) -> None:
    assert anybody.get(f"/p/{token}").status_code == 404


def test_a_link_for_unsubscribing_does_not_open_it(anybody: Visitor, person: Callable[..., int]) -> None:
    assert anybody.get(link(person(), Purpose.UNSUBSCRIBE)).status_code == 404


def test_opening_it_changes_nothing(anybody: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    for action in ("order", "stop", "start", "topic", "pause"):
        assert anybody.get(f"{link(participant_id)}/{action}").status_code == 405
    with read_session() as session:
        assert session.scalar(select(ConsentEvent.id)) is None


def test_a_form_from_another_site_changes_nothing(anybody: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    point = point_of(participant_id, "text")
    assert anybody.client.post(f"{link(participant_id)}/stop", data={"point": point.id}).status_code == 400
    assert point_of(participant_id, "text").state is ContactPointState.USABLE


def test_the_order_is_changed_by_buttons(anybody: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT, MAIL)
    mail = point_of(participant_id, "email").id
    page = anybody.post(f"{link(participant_id)}/order", {"point": mail, "step": "up"})
    assert "Your order is saved" in page.text
    assert point_of(participant_id, "email").rank == 1
    event = last_event(participant_id)
    assert (event.kind, event.source, event.recorded_by) == ("chose", ConsentSource.WEB, None)


def test_a_way_is_stopped_for_this_person_only_and_used_again(anybody: Visitor, person: Callable[..., int]) -> None:
    zelda, joan = person("Zelda", TEXT), person("Joan", TEXT)
    point = point_of(zelda, "text").id
    assert "Stopped" in anybody.post(f"{link(zelda)}/stop", {"point": point}).text
    assert point_of(zelda, "text").state is ContactPointState.OPTED_OUT
    assert point_of(joan, "text").state is ContactPointState.USABLE
    assert last_event(zelda).wording == "Stop using: text message"
    anybody.post(f"{link(zelda)}/start", {"point": point})
    assert point_of(zelda, "text").state is ContactPointState.USABLE
    assert (last_event(zelda).kind, last_event(zelda).source) == ("agreed", ConsentSource.WEB)


def test_somebody_elses_way_cannot_be_changed_by_it(anybody: Visitor, person: Callable[..., int]) -> None:
    zelda, joan = person("Zelda", TEXT), person("Joan", MAIL)
    theirs = point_of(joan, "email").id
    for action in ("stop", "start", "order"):
        assert anybody.post(f"{link(zelda)}/{action}", {"point": theirs, "step": "up"}).status_code == 404
    assert point_of(joan, "email").state is ContactPointState.USABLE


def test_a_topic_is_declined_and_wanted_again_in_the_words_of_the_button(
    anybody: Visitor, person: Callable[..., int]
) -> None:
    participant_id = person("Zelda", TEXT)
    with write_session() as session:
        topic = service.ensure_topics(session)[0].id
    anybody.post(f"{link(participant_id)}/topic", {"topic": topic, "wanted": "no"})
    assert last_event(participant_id).wording == "No messages about “General”"
    anybody.post(f"{link(participant_id)}/topic", {"topic": topic, "wanted": "yes"})
    assert last_event(participant_id).wording == "Yes, tell me about “General”"
    assert anybody.post(f"{link(participant_id)}/topic", {"topic": 9999, "wanted": "no"}).status_code == 404


def test_a_pause_begins_and_ends(anybody: Visitor, person: Callable[..., int]) -> None:
    participant_id = person("Zelda", TEXT)
    page = anybody.post(f"{link(participant_id)}/pause", {"days": 28}).text
    assert re.search(r"You hear nothing before <strong>\d+ \w+ \d{4}", page)
    anybody.post(f"{link(participant_id)}/pause", {"days": 0})
    with read_session() as session:
        assert session.get_one(Participant, participant_id).paused_until is None
