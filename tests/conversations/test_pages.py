"""The page of what people told us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from hub.accounts.models import RoleName
from hub.conversations.models import Reply, ReplyKind
from hub.db import read_session, write_session
from tests.conversations.signing_in import sign_in
from tests.deliveries.people import NOW, contact_point, somebody
from tests.services.site import application

NUMBER = "+447700900123"


@pytest.fixture
def client(database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(redis_url="redis://127.0.0.1:1")
    return application().test_client()


def reply(number: int, body: str, person: int | None = None, kind: ReplyKind = ReplyKind.MESSAGE) -> Reply:
    return Reply(
        provider="twilio",
        provider_id=f"SM{number}",
        channel="text",
        from_address=NUMBER,
        body=body,
        kind=kind,
        participant_id=person,
        received_at=NOW + timedelta(minutes=number),
    )


@pytest.fixture
def replies(client: FlaskClient) -> None:
    with write_session() as session:
        ann = somebody(session, "Ann", search_text="ann")
        bob = somebody(session, "Bob")
        contact_point(session, ann, "text", 1, address=NUMBER)
        contact_point(session, bob, "text", 1, address=NUMBER)
        session.add_all([reply(1, "<b>Hello</b>", ann.id), reply(2, "STOP", kind=ReplyKind.STOP)])


def unread() -> int:
    with read_session() as session:
        return len(session.scalars(select(Reply.id).where(Reply.read_at.is_(None))).all())


def test_replies_are_listed_newest_first_with_who_may_have_written_them(client: FlaskClient, replies: None) -> None:
    sign_in(client, RoleName.ORGANISER)
    page = client.get("/conversations").text
    assert page.index("Asked to stop") < page.index("&lt;b&gt;Hello&lt;/b&gt;")
    assert "A shared number" in page
    assert ">Bob</bdi>" in page
    assert "2 replies" in page


@pytest.mark.parametrize(("search", "found"), [("hello", 1), ("ANN", 1), ("900123", 2), ("%", 0), ("ann stop", 0)])
def test_search_finds_words_names_and_numbers(client: FlaskClient, replies: None, search: str, found: int) -> None:
    sign_in(client, RoleName.ORGANISER)
    page = client.get("/conversations", query_string={"search": search}).text
    assert page.count("<article") == found


def test_what_has_been_read_leaves_the_list_of_unread_and_can_come_back(client: FlaskClient, replies: None) -> None:
    sign_in(client, RoleName.ORGANISER)
    answer = client.post("/conversations/read?show=unread", data={"ids": "1,2"}, follow_redirects=True)
    assert "2 replies marked as read" in answer.text
    assert "Nothing left to read" in answer.text
    assert unread() == 0
    client.post("/conversations/unread", data={"ids": "1"})
    assert unread() == 1


@pytest.mark.parametrize("ids", ["", "x", "1" * 60, "-1", "1,,", "²", "99"])
def test_odd_numbers_of_replies_do_no_harm(client: FlaskClient, replies: None, ids: str) -> None:
    sign_in(client, RoleName.ORGANISER)
    assert client.post("/conversations/read", data={"ids": ids}).status_code == 302


@pytest.mark.parametrize(
    "query", ["page=0", "page=99", "page=x", "page=" + "9" * 30, "search=%00", "search=" + "a" * 900]
)
def test_any_query_shows_a_page(client: FlaskClient, replies: None, query: str) -> None:
    sign_in(client, RoleName.ORGANISER)
    assert client.get(f"/conversations?{query}").status_code == 200


def test_an_empty_page_says_how_it_fills(client: FlaskClient) -> None:
    sign_in(client, RoleName.ORGANISER)
    assert "Nobody has written yet" in client.get("/conversations").text


def test_replies_are_for_organisers_alone(client: FlaskClient, replies: None) -> None:
    assert client.get("/conversations").status_code in {302, 401}
    sign_in(client, RoleName.VOLUNTEER)
    assert client.get("/conversations").status_code == 403
    assert client.post("/conversations/read", data={"ids": "1"}).status_code == 403
