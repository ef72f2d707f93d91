"""The pages on which an announcement is checked, sent and followed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from config.settings import Settings
from hub.accounts.models import RoleName
from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.exporting import harmless
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState, Why
from hub.participants.models import Participant
from tests.conversations.signing_in import sign_in
from tests.deliveries.people import BODIES, announcement, contact_point, somebody


@pytest.fixture
def draft(client: FlaskClient, settings_for: Callable[..., Settings]) -> int:
    """For seven people: two by email, one each by text, call and public post, one opted out, one without a way.

    Send leaves at once here; undoing it is in test_scheduling_pages.
    """
    assert client
    settings_for(undo_seconds=0)
    with write_session() as session:
        somebody(session, "Ann", "email", search_text="ann")
        somebody(session, "=cmd()", "email")
        somebody(session, "Bob", "text", "email", language="cy", formats=["easy_read"])
        somebody(session, "Cat", "phone")
        somebody(session, "Dan", "social")
        contact_point(session, somebody(session, "Eve"), "email", 1, state="opted_out")
        somebody(session, "Fay")
        return announcement(session).id


def send(client: FlaskClient, announcement_id: int) -> None:
    page = client.get(f"/announcements/{announcement_id}/check").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision is not None
    answer = client.post(f"/announcements/{announcement_id}/send", data={"revision": revision[1]})
    assert answer.headers["Location"] == f"/announcements/{announcement_id}"


def state(announcement_id: int) -> AnnouncementState:
    with read_session() as session:
        return session.get_one(Announcement, announcement_id).state


def mark(first_name: str, **values: Any) -> None:
    with write_session() as session:
        person = select(Participant.id).where(Participant.first_name == first_name).scalar_subquery()
        session.execute(update(Delivery).where(Delivery.participant_id == person).values(**values))


def test_a_check_says_who_gets_what_and_who_nothing_and_why(client: FlaskClient, draft: int) -> None:
    page = client.get(f"/announcements/{draft}/check").text
    assert "Send to 5 people" in page
    assert "5 people of 7 will be told" in page
    assert "They asked us to stop" in page
    assert "We have no way to reach them" in page
    assert "Easy read" in page
    assert "Welsh" in page
    assert "1 part in all" in page
    assert page.index("Ann</bdi>") < page.index("Bob</bdi>")
    with read_session() as session:
        assert session.get_one(Announcement, draft).checked_revision == 1


def test_the_people_of_a_check_can_be_searched_and_narrowed_down(client: FlaskClient, draft: int) -> None:
    address = f"/announcements/{draft}/check"
    assert "Bob</bdi>" not in client.get(f"{address}?channel=email").text
    nobody = client.get(f"{address}?channel=nobody&why=opted_out").text
    assert "Eve</bdi>" in nobody
    assert "Fay</bdi>" not in nobody
    found = client.get(f"{address}?search=ann").text
    assert "Ann</bdi>" in found
    assert "Cat</bdi>" not in found
    assert client.get(f"{address}?channel=x&why=y&page=-3&search=%00").status_code == 200
    assert "Nobody fits" in client.get(f"{address}?search=zzz").text


def test_problems_take_the_send_button_away_and_say_what_to_do(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        broken = announcement(session, bodies=BODIES | {"text": "Hello ((nmae))"}).id
    page = client.get(f"/announcements/{broken}/check").text
    assert "Put this right first" in page
    assert "((nmae))" in page
    assert "Send to" not in page
    assert client.post(f"/announcements/{broken}/send", data={"revision": "1"}).status_code == 409
    assert state(broken) is AnnouncementState.DRAFT


def test_only_what_was_checked_is_sent(client: FlaskClient, draft: int) -> None:
    unchecked = client.post(f"/announcements/{draft}/send", data={"revision": "1"})
    assert unchecked.status_code == 409
    client.get(f"/announcements/{draft}/check")
    with write_session() as session:
        session.get_one(Announcement, draft).revision += 1
    changed = client.post(f"/announcements/{draft}/send", data={"revision": "1"})
    assert changed.status_code == 409
    assert "has changed since this page was opened" in changed.text
    assert state(draft) is AnnouncementState.DRAFT
    send(client, draft)
    assert state(draft) is AnnouncementState.UNDER_WAY
    again = client.post(f"/announcements/{draft}/send", data={"revision": "2"})
    assert again.status_code == 409
    assert "sent already" in again.text


def test_everybody_is_somewhere_in_the_account_and_every_number_leads_to_them(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    mark("Ann", state=DeliveryState.DELIVERED)
    mark("Dan", state=DeliveryState.POSTED)
    page = client.get(f"/announcements/{draft}").text
    numbers = {place: int(n) for place, n in re.findall(r'\?place=(\w+)"><strong>(\d+)</strong>', page)}
    assert numbers == {
        "reached": 1,
        "on_its_way": 2,
        "waiting_for_call": 1,
        "posted": 1,
        "declined": 1,
        "not_reached": 1,
    }
    for place, name in {"reached": "Ann", "waiting_for_call": "Cat", "declined": "Eve", "not_reached": "Fay"}.items():
        people = client.get(f"/announcements/{draft}/people?place={place}").text
        assert f"{name}</bdi>" in people
        assert "1 person" in people
    assert "how they would like to be reached" in page
    assert client.get(f"/announcements/{draft}/people?place=zzz&channel=zzz&state=1&why=2&page=x").status_code == 200


def test_the_page_asks_for_news_until_everybody_is_settled(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    with write_session() as session:
        session.get_one(Announcement, draft).planned_at = utc_now()
    assert 'hx-trigger="every 2s"' in client.get(f"/announcements/{draft}/progress").text
    assert 'hx-trigger="every 2s"' in client.get(f"/announcements/{draft}").text
    with write_session() as session:
        live = Delivery.announcement_id == draft
        session.execute(update(Delivery).where(live).values(state=DeliveryState.CONFIRMED))
        service.close_finished(session, utc_now())
    closed = client.get(f"/announcements/{draft}/progress").text
    assert "hx-trigger" not in closed
    assert "Finished" in closed


def test_sending_is_paused_continued_and_cancelled(client: FlaskClient, draft: int) -> None:
    for action in ("pause", "resume", "cancel"):
        assert client.post(f"/announcements/{draft}/{action}").status_code == 409
    send(client, draft)
    with write_session() as session:
        session.get_one(Announcement, draft).planned_at = utc_now()
    assert "Paused." in client.post(f"/announcements/{draft}/pause", follow_redirects=True).text
    assert state(draft) is AnnouncementState.PAUSED
    assert "on its way again" in client.post(f"/announcements/{draft}/resume", follow_redirects=True).text
    assert "5 people are still to be reached" in client.get(f"/announcements/{draft}/cancel").text
    client.post(f"/announcements/{draft}/cancel")
    assert state(draft) is AnnouncementState.CANCELLED
    with read_session() as session:
        left = session.scalars(select(Delivery.state).where(Delivery.state == DeliveryState.PLANNED)).all()
    assert left == []


def test_the_people_behind_a_number_are_saved_as_a_harmless_file(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    mark("Ann", state=DeliveryState.UNREACHABLE, why=Why.NOT_DELIVERED)
    answer = client.get(f"/announcements/{draft}/people.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == ["'=cmd()", "Ann", "Bob", "Cat", "Dan", "Eve", "Fay"]
    assert rows[1]["What to do next"] == "Ring them, or try again later."
    assert rows[2]["Address"].startswith("+44")
    declined = client.get(f"/announcements/{draft}/people.csv?place=declined").get_data().decode()
    assert len(declined.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@a@b.example", "'@a@b.example"),
        ("-1", "'-1"),
        ("+1-2", "'+1-2"),
        ("+447700900123", "+447700900123"),
        ("Ann = Bob", "Ann = Bob"),
        ("", ""),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell: str, written: str) -> None:
    assert harmless(cell) == written


def test_the_list_is_searched_filtered_and_paged(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        for number in range(25):
            announcement(session, title=f"Lunch {number:02} 100%")
    first = client.get("/announcements").text
    assert "1 to 20 of 26 announcements" in first
    assert "Meeting" in client.get("/announcements?page=2").text
    assert "25 announcements" in client.get("/announcements?search=LUNCH+100%25").text
    send(client, draft)
    under_way = client.get("/announcements?state=under_way").text
    assert "1 announcement<" in under_way
    assert "<strong>1</strong> not reached" in under_way
    assert "No announcement fits" in client.get("/announcements?search=zzz").text
    assert client.get("/announcements?state=zzz&page=99999999999&search=%00").status_code == 200


def test_an_empty_list_says_how_to_begin(client: FlaskClient) -> None:
    assert "Write the first one" in client.get("/announcements").text


def test_a_draft_opens_where_it_is_written_and_a_sent_one_where_it_is_followed(client: FlaskClient, draft: int) -> None:
    assert client.get(f"/announcements/{draft}").headers["Location"] == f"/announcements/{draft}/write"
    send(client, draft)
    assert client.get(f"/announcements/{draft}/check").headers["Location"] == f"/announcements/{draft}"


def test_what_is_not_there_is_not_found(client: FlaskClient) -> None:
    for number in ("4711", "2147483648", "9" * 30):
        for page in ("", "/check", "/progress", "/cancel", "/people", "/people.csv"):
            assert client.get(f"/announcements/{number}{page}").status_code == 404, page
        for page in ("/send", "/pause", "/resume", "/cancel"):
            assert client.post(f"/announcements/{number}{page}").status_code in {404, 405}, page


def test_sending_and_following_are_for_organisers(client: FlaskClient, draft: int) -> None:
    volunteer = client.application.test_client()
    sign_in(volunteer, RoleName.VOLUNTEER)
    for page in ("check", "people", "people.csv", "progress", "cancel"):
        assert volunteer.get(f"/announcements/{draft}/{page}").status_code == 403, page
    assert volunteer.get("/announcements").status_code == 403
    assert volunteer.post(f"/announcements/{draft}/send").status_code == 403
    assert state(draft) is AnnouncementState.DRAFT
