"""The link under every email."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from config.secret_key import secret_key
from hub.db import read_session, write_session
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointState,
    TopicPreference,
)
from hub.participants.unsubscribe import mask
from hub.tokens import Purpose, sign
from tests.deliveries.people import contact_point, somebody, topic
from tests.services.site import application

ADDRESS = "ann.smith@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(group_name="Riverside", redis_url="redis://127.0.0.1:1")
    return application().test_client()


@pytest.fixture
def link(client: FlaskClient) -> str:
    """Ann’s link; Bob has the same mailbox."""
    with write_session() as session:
        ann, bob = somebody(session, "Ann"), somebody(session, "Bob")
        point = contact_point(session, ann, "email", 1, address=ADDRESS)
        contact_point(session, bob, "email", 1, address=ADDRESS)
        contact_point(session, ann, "text", 2)
        return "/u/" + sign(secret_key(), Purpose.UNSUBSCRIBE, ann.id, point.id, topic(session, "Choir & more"))


def states() -> list[ContactPointState]:
    """Of Ann’s email, Bob’s email and Ann’s text."""
    with read_session() as session:
        return list(session.scalars(select(ContactPoint.state).order_by(ContactPoint.id)))


def evidence() -> list[tuple[ConsentKind, ConsentSource, str, str]]:
    with read_session() as session:
        events = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id))
        return [(event.kind, event.source, event.channel, event.wording) for event in events]


USABLE, OUT = ContactPointState.USABLE, ContactPointState.OPTED_OUT


def test_opening_the_link_shows_what_would_stop_and_changes_nothing(client: FlaskClient, link: str) -> None:
    for method in (client.get, client.head):
        assert method(link).status_code == 200
    page = client.get(link)
    assert "a•••@example.org" in page.text
    assert ADDRESS not in page.text
    assert "Choir &amp; more" in page.text
    assert "Nothing has changed yet" in page.text
    assert "Set-Cookie" not in page.headers
    assert (states(), evidence()) == ([USABLE] * 3, [])


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_stops_at_once_without_cookie_or_redirect(client: FlaskClient, link: str, content_type: str) -> None:
    stranger = client.application.test_client(use_cookies=False)
    for _ in range(2):
        answer = stranger.post(link, data=ONE_CLICK, content_type=content_type)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert states() == [OUT, USABLE, USABLE]
    words = "Unsubscribe in the mail program (List-Unsubscribe=One-Click)"
    assert evidence() == [(ConsentKind.WITHDREW, ConsentSource.WEB, "email", words)]


def test_the_button_stops_all_emails_and_undo_starts_them_again(client: FlaskClient, link: str) -> None:
    stopped = client.post(link, data={"choice": "everything"})
    assert "You will get no more emails" in stopped.text
    assert states()[0] is OUT
    again = client.post(link, data={"choice": "everything-again"})
    assert "again" in again.text
    assert states()[0] is USABLE
    assert [kind for kind, *_ in evidence()] == [ConsentKind.WITHDREW, ConsentKind.AGREED]
    assert evidence()[0][3] == "Stop all emails to this address"


def test_one_topic_alone_can_stop(client: FlaskClient, link: str) -> None:
    page = client.post(link, data={"choice": "topic"})
    assert "You have stopped messages about “<bdi>Choir &amp; more</bdi>”" in page.text
    assert states() == [USABLE] * 3
    with read_session() as session:
        assert len(session.scalars(select(TopicPreference.rank)).all()) == 1
    client.post(link, data={"choice": "topic-again"})
    with read_session() as session:
        assert session.scalars(select(TopicPreference.rank)).all() == []


def test_a_link_whose_contact_point_is_gone_says_so(client: FlaskClient, link: str) -> None:
    token = sign(secret_key(), Purpose.UNSUBSCRIBE, 1, 999, 1)
    for answer in (client.get(f"/u/{token}"), client.post(f"/u/{token}", data=ONE_CLICK)):
        assert answer.status_code == 200
        assert "nothing to stop" in answer.text


def test_a_link_for_another_persons_contact_point_stops_nothing(client: FlaskClient, link: str) -> None:
    client.post("/u/" + sign(secret_key(), Purpose.UNSUBSCRIBE, 2, 1, 1), data=ONE_CLICK)
    assert states() == [USABLE] * 3


@pytest.mark.parametrize("token", ["x", "A" * 48, "%F0%9F%98%80", "%00", "é", "A" * 5000])
def test_a_link_that_we_did_not_make_is_refused_in_words(client: FlaskClient, token: str) -> None:
    for answer in (client.get(f"/u/{token}"), client.post(f"/u/{token}", data=ONE_CLICK)):
        assert answer.status_code == 404
        assert "not complete" in answer.text


def test_a_preferences_link_does_not_unsubscribe(client: FlaskClient, link: str) -> None:
    assert client.post("/u/" + sign(secret_key(), Purpose.PREFERENCES, 1, 1, 1), data=ONE_CLICK).status_code == 404


def test_odd_choices_stop_everything_rather_than_nothing(client: FlaskClient, link: str) -> None:
    assert client.post(link, data=b"\xff\x00", content_type="text/plain").status_code == 200
    assert states()[0] is OUT


def test_masks_leave_just_enough_to_know_it_by() -> None:
    assert mask("ann@example.org") == "a•••@example.org"
    assert mask("+447700900123").endswith("123")
    assert "900" not in mask("+447700900123")
