"""Call lists on screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from hub.accounts.models import RoleName
from hub.calls.models import CallList, CallRecord, PrintLog
from hub.db import read_session, write_session
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.participants.models import Participant
from tests.calls.calling import list_of
from tests.conversations.signing_in import sign_in
from tests.services.site import application


@pytest.fixture
def client(sqlite_database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(redis_url="redis://127.0.0.1:1")
    return application().test_client()


@pytest.fixture
def call_list(client: FlaskClient) -> str:
    with write_session() as session:
        call_list_id, _ = list_of(session, "Ann <b>", "Bob", "Cy")
        session.get_one(Participant, 1).how_to_talk = "Speak slowly"
        session.get_one(Participant, 1).notes = "for organisers only"
    return f"/call-lists/{call_list_id}"


def states() -> list[DeliveryState]:
    with read_session() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def test_a_volunteer_sees_who_to_ring_and_nothing_else(client: FlaskClient, call_list: str) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    index = client.get("/call-lists").text
    assert "<strong>3 people left to ring</strong>" in index
    page = client.get(call_list).text
    assert "Ann &lt;b&gt;" in page
    assert 'href="tel:+441632960001"' in page
    assert "Speak slowly" in page
    assert "for organisers only" not in page
    for closed in ("/people", "/conversations", "/announcements"):
        assert client.get(closed).status_code == 403


def test_results_of_a_whole_page_are_saved_at_once_and_can_be_undone(client: FlaskClient, call_list: str) -> None:
    account = sign_in(client, RoleName.VOLUNTEER)
    ticked = {"outcome-1": "told", "note-1": "Will come", "outcome-2": "no_answer", "seen-1": "0", "seen-2": "0"}
    answer = client.post(f"{call_list}/results", data=ticked, follow_redirects=True)
    assert "2 results saved: 1 told, 1 no answer." in answer.text
    assert states() == [DeliveryState.CONFIRMED, DeliveryState.ON_LIST, DeliveryState.ON_LIST]
    with read_session() as session:
        assert {record.recorded_by for record in session.scalars(select(CallRecord))} == {account}
    assert "1 try so far" in answer.text
    assert "Will come" in client.get(f"{call_list}?show=done").text
    undone = client.post(f"{call_list}/undo", data={"records": "1,2"}, follow_redirects=True)
    assert "2 results taken back" in undone.text
    assert states() == [DeliveryState.ON_LIST] * 3


def test_whoever_is_slower_is_told_so(client: FlaskClient, call_list: str) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    client.post(f"{call_list}/results", data={"outcome-1": "told"})
    answer = client.post(f"{call_list}/results", data={"outcome-1": "wrong_number"}, follow_redirects=True)
    assert "1 result not saved" in answer.text
    assert states()[0] is DeliveryState.CONFIRMED


@pytest.mark.parametrize(
    "ticked",
    [
        {},
        {"outcome-1": "nonsense"},
        {"outcome-x": "told"},
        {"outcome-": "told"},
        {"outcome-²": "told"},
        {"outcome-" + "9" * 40: "told"},
    ],
)
def test_nothing_ticked_saves_nothing(client: FlaskClient, call_list: str, ticked: dict[str, str]) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    answer = client.post(f"{call_list}/results", data=ticked, follow_redirects=True)
    assert "nothing was saved" in answer.text
    assert states() == [DeliveryState.ON_LIST] * 3


def test_odd_notes_and_numbers_do_no_harm(client: FlaskClient, call_list: str) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    odd = {"outcome-1": "told", "note-1": "\0" + "x" * 9000, "seen-1": "x", "outcome-999": "told"}
    assert client.post(f"{call_list}/results", data=odd).status_code == 302
    assert states()[0] is DeliveryState.CONFIRMED
    for records in ("", "x", "9" * 30, "²"):
        assert client.post(f"{call_list}/undo", data={"records": records}).status_code == 302
    assert client.post(f"{call_list}/undo", data={"records": "999"}).status_code == 404
    for path in ("/call-lists/0", "/call-lists/99", "/call-lists/99999999999999999999", "/call-lists/x"):
        assert client.get(path).status_code == 404
    assert client.get(f"{call_list}?show=x&page=-1&search=%00{'a' * 400}").status_code == 200


def test_a_concern_is_shown_to_organisers_alone_until_they_looked_after_it(client: FlaskClient, call_list: str) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    worried = {"outcome-1": "worried", "note-1": "Has not eaten"}
    assert "tell the organiser today" in client.post(f"{call_list}/results", data=worried, follow_redirects=True).text
    assert "Has not eaten" not in client.get(call_list).text
    assert client.post("/call-lists/concerns/1").status_code == 403
    sign_in(client, RoleName.ORGANISER)
    assert "Has not eaten" in client.get("/call-lists").text
    answer = client.post("/call-lists/concerns/1", follow_redirects=True)
    assert "looked after" in answer.text
    assert "Has not eaten" not in answer.text


def test_the_list_can_be_printed_and_the_print_is_noted(client: FlaskClient, call_list: str) -> None:
    account = sign_in(client, RoleName.VOLUNTEER)
    answer = client.get(f"{call_list}/print.pdf")
    assert answer.data.startswith(b"%PDF")
    assert "call-list-" in answer.headers["Content-Disposition"]
    with read_session() as session:
        assert session.scalars(select(PrintLog.printed_by)).all() == [account]


def test_organisers_say_who_rings_and_by_when(client: FlaskClient, call_list: str) -> None:
    sign_in(client, RoleName.VOLUNTEER)
    assert client.post(f"{call_list}/details", data={"caller": "Me"}).status_code == 403
    assert client.post(f"{call_list}/give-up").status_code == 403
    sign_in(client, RoleName.ORGANISER)
    saved = client.post(
        f"{call_list}/details", data={"caller": "Maureen", "return_by": "2026-11-29"}, follow_redirects=True
    )
    assert "To be done by 29 November 2026" in saved.text
    wrong = client.post(f"{call_list}/details", data={"caller": "x" * 200, "return_by": "tomorrow"})
    assert wrong.status_code == 422
    assert "Up to 120 characters." in wrong.text
    with read_session() as session:
        assert session.scalars(select(CallList.caller)).one() == "Maureen"
    for tries in range(3):
        client.post(f"{call_list}/results", data={"outcome-1": "no_answer", "seen-1": str(tries)})
    assert "1 person was tried 3 times" in client.get(call_list).text
    assert "1 person taken off the list" in client.post(f"{call_list}/give-up", follow_redirects=True).text


def test_without_lists_the_page_says_how_they_come(client: FlaskClient) -> None:
    assert client.get("/call-lists").status_code in {302, 401}
    sign_in(client, RoleName.ORGANISER)
    assert "Nobody to ring" in client.get("/call-lists").text
