"""The pages on which sending is put off, undone, limited and decided about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from config.settings import Settings
from hub.accounts.models import RoleName
from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.db import read_session, utc_now, write_session
from hub.deliveries import budgets, scheduling, service
from hub.deliveries.models import Delivery, UncertainDelivery
from hub.deliveries.rules import DeliveryState
from hub.participants.models import Participant
from hub.web.wording import moment
from tests.conversations.signing_in import sign_in
from tests.deliveries.people import announcement, somebody

S = AnnouncementState


@pytest.fixture
def draft(client: FlaskClient) -> int:
    """For two people by text and one by email."""
    assert client
    with write_session() as session:
        somebody(session, "Ann", "email")
        somebody(session, "Bob", "text")
        somebody(session, "Cat", "text")
        return announcement(session, title="Hall <closed>").id


def check(client: FlaskClient, announcement_id: int) -> str:
    return client.get(f"/announcements/{announcement_id}/check").text


def send(client: FlaskClient, announcement_id: int) -> str:
    revision = re.search(r'name="revision" value="(\d+)"', check(client, announcement_id))
    assert revision is not None
    data = {"revision": revision[1]}
    return client.post(f"/announcements/{announcement_id}/send", data=data, follow_redirects=True).text


def state(announcement_id: int) -> AnnouncementState:
    with read_session() as session:
        return session.get_one(Announcement, announcement_id).state


def launched(announcement_id: int) -> None:
    with write_session() as session:
        service.check(session, announcement_id, utc_now())
        service.launch(session, announcement_id, None, utc_now())


def tomorrow() -> dict[str, str]:
    day = (utc_now().astimezone(ZoneInfo("Europe/London")) + timedelta(days=1)).date()
    return {"revision": "1", "day": day.isoformat(), "time": "09:30"}


# --- Undo -----------------------------------------------------------------------------------------------------


def test_send_waits_and_can_be_undone(client: FlaskClient, draft: int) -> None:
    assert "You can undo it for 10 seconds" in check(client, draft)
    page = send(client, draft)
    assert re.search(r"It leaves in (10|9|8) seconds", page)
    assert "Undo: do not send" in page
    assert 'hx-trigger="every 1s"' in client.get(f"/announcements/{draft}/progress").text
    undone = client.post(f"/announcements/{draft}/take-back", follow_redirects=True)
    assert "was not sent. It is a draft again." in undone.text
    assert "Send to 3 people" in undone.text
    assert state(draft) is S.DRAFT
    with read_session() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_the_page_says_when_nobody_is_there_to_send_it(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    with write_session() as session:
        session.get_one(Announcement, draft).starts_at = utc_now() - timedelta(minutes=1)
    page = client.get(f"/announcements/{draft}").text
    assert "It should have left by now" in page
    assert 'hx-trigger="every 20s"' in page


def test_what_is_urgent_leaves_at_once(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        session.get_one(Announcement, draft).urgent = True
    assert "It leaves at once" in check(client, draft)
    assert "is on its way" in send(client, draft)
    assert state(draft) is S.UNDER_WAY


def test_what_waits_is_sent_now_if_somebody_says_so(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    assert "is on its way" in client.post(f"/announcements/{draft}/send-now", follow_redirects=True).text
    assert state(draft) is S.UNDER_WAY
    for late in ("take-back", "send-now"):
        answer = client.post(f"/announcements/{draft}/{late}", follow_redirects=True)
        assert "has left already. You can still pause or cancel" in answer.text
        assert "Cancel it" in answer.text


def test_the_words_of_what_waits_can_not_be_changed(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    for page in ("about", "audience", "write", "delete"):
        answer = client.get(f"/announcements/{draft}/{page}")
        assert (answer.status_code, "take it back first" in answer.text) == (409, True), page
    assert client.get(f"/announcements/{draft}/check").headers["Location"] == f"/announcements/{draft}"
    assert client.post(f"/announcements/{draft}/send", data={"revision": "1"}).status_code == 409


# --- Later ----------------------------------------------------------------------------------------------------


def test_an_announcement_is_put_off_to_a_day_and_time_of_the_group(client: FlaskClient, draft: int) -> None:
    address = f"/announcements/{draft}/schedule"
    assert client.get(address).headers["Location"] == f"/announcements/{draft}/check"
    assert f'href="{address}"' in check(client, draft)
    assert "Europe/London" in client.get(address).text
    page = client.post(address, data=tomorrow(), follow_redirects=True).text
    with read_session() as session:
        starts_at = session.get_one(Announcement, draft).starts_at
    assert starts_at is not None
    assert f"{starts_at.astimezone(ZoneInfo('Europe/London')):%H:%M}" == "09:30"
    assert f"It leaves on {moment(starts_at)}" in page
    assert client.get(address).headers["Location"] == f"/announcements/{draft}"
    listed = client.get("/announcements?state=scheduled").text
    assert "To be sent (1)" in listed
    assert f"to be sent on {moment(starts_at)}" in listed
    home = client.get("/").text
    assert "To be sent" in home
    assert moment(starts_at) in home


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"day": ""}, "Say on which day."),
        ({"time": ""}, "Say at what time."),
        ({"day": "2020-01-01"}, "This time has passed already. Choose a later one."),
        ({"day": "9999-12-31"}, "Give a day between now and 2100."),
        ({"day": "2099-01-01"}, "It is of no use any more at that time."),
    ],
)
def test_a_time_at_which_it_can_not_leave_is_refused_beside_the_field(
    client: FlaskClient, draft: int, changed: dict[str, str], error: str
) -> None:
    with write_session() as session:
        session.get_one(Announcement, draft).useful_until = utc_now() + timedelta(days=7)
    check(client, draft)
    answer = client.post(f"/announcements/{draft}/schedule", data=tomorrow() | changed)
    assert answer.status_code == 422
    assert answer.text.count(error) == 2  # in the summary and beside its field
    assert state(draft) is S.DRAFT


def test_only_what_was_seen_is_put_off(client: FlaskClient, draft: int) -> None:
    check(client, draft)
    answer = client.post(f"/announcements/{draft}/schedule", data=tomorrow() | {"revision": "7"})
    assert (answer.status_code, state(draft)) == (409, S.DRAFT)


def test_what_could_not_leave_at_its_time_says_so_everywhere(client: FlaskClient, draft: int) -> None:
    send(client, draft)
    with write_session() as session:
        session.execute(update(Participant).values(archived_at=utc_now()))
        assert not scheduling.launch_scheduled(session, draft, utc_now() + timedelta(seconds=11))
    watching = client.get(f"/announcements/{draft}/progress")
    assert watching.headers["HX-Redirect"] == f"/announcements/{draft}/check"
    page = client.get(f"/announcements/{draft}", follow_redirects=True).text
    assert "and was not:</strong> this stands in the way." in page
    assert "Nobody would be sent this" in page
    assert "could not be sent" in client.get("/announcements").text
    with write_session() as session:
        session.execute(update(Participant).values(archived_at=None))
    assert "was not sent</h2>" in client.get("/").text
    assert "Now nothing does any more" in check(client, draft)


# --- Silence --------------------------------------------------------------------------------------------------


def test_silence_is_for_what_is_urgent(client: FlaskClient, draft: int) -> None:
    details = {"title": "Flood", "topic": "1", "silence": "30"}
    about = f"/announcements/{draft}/about"
    client.post(about, data=details | {"urgent": "y"})
    assert 'value="30"' in client.get(about).text
    assert "Who has not answered after 30 minutes is tried the next way" in check(client, draft)
    client.post(about, data=details)
    with read_session() as session:
        found = session.get_one(Announcement, draft)
        assert (found.urgent, found.silence_minutes) == (False, None)


@pytest.mark.parametrize("minutes", ["4", "10081", "-5", "ten", "1.5", "9" * 30])
def test_minutes_that_make_no_sense_are_refused(client: FlaskClient, draft: int, minutes: str) -> None:
    details = {"title": "Flood", "topic": "1", "silence": minutes, "urgent": "y"}
    answer = client.post(f"/announcements/{draft}/about", data=details)
    assert answer.status_code == 422
    assert "from 5 to 10,080 (a week)" in answer.text


# --- Costs ----------------------------------------------------------------------------------------------------


def test_a_limit_is_set_on_the_way_to_sending_and_taken_away_again(client: FlaskClient, draft: int) -> None:
    assert "Set a limit" in check(client, draft)
    page = client.post(f"/announcements/{draft}/budget", data={"budget": "£0.05"}, follow_redirects=True).text
    assert "The limit is saved." in page
    assert "before they cost more than £0.05" in page
    assert "after about 1 of 2 texts" in page
    wrong = client.post(f"/announcements/{draft}/budget", data={"budget": "lots"})
    assert (wrong.status_code, wrong.text.count("Give an amount like 25 or 12.50.")) == (422, 2)
    assert (
        "Set a limit" in client.post(f"/announcements/{draft}/budget", data={"budget": ""}, follow_redirects=True).text
    )


def test_what_stops_at_its_limit_says_so_and_goes_on_with_more(
    client: FlaskClient, draft: int, settings_for: Callable[..., Settings]
) -> None:
    settings_for(text_part_price=0.5)
    with write_session() as session:
        session.get_one(Announcement, draft).budget = Decimal("1.00")
    launched(draft)
    assert "Change the limit of £1.00" in client.get(f"/announcements/{draft}").text
    with write_session() as session:
        assert budgets.set_aside(session, draft, [1, 2]) == 1
    page = client.get(f"/announcements/{draft}").text
    assert "It has stopped at its limit" in page
    assert "£0.50 is set aside for 1 part" in page
    assert "Go on</button>" not in page
    assert "stopped at its limit" in client.get("/").text
    assert client.post(f"/announcements/{draft}/resume").status_code == 409
    low = client.post(f"/announcements/{draft}/budget", data={"budget": "1"})
    assert (low.status_code, "Give more than £1.00." in low.text) == (422, True)
    more = client.post(f"/announcements/{draft}/budget", data={"budget": "2"}, follow_redirects=True)
    assert "on its way again" in more.text
    with read_session() as session:
        found = session.get_one(Announcement, draft)
        assert (found.state, found.paused_because) == (S.UNDER_WAY, PausedBecause.ASKED)


# --- Uncertain ------------------------------------------------------------------------------------------------


@pytest.fixture
def uncertain(draft: int) -> list[int]:
    """All three messages may or may not have been sent, and nobody can find out."""
    launched(draft)
    now = utc_now()
    with write_session() as session:
        session.execute(update(Delivery).values(state=DeliveryState.UNCERTAIN))
        rows = session.execute(select(Delivery.id, Delivery.channel).order_by(Delivery.participant_id)).all()
        session.add_all(
            UncertainDelivery(delivery_id=key, channel=channel, since=now, ask_at=now, for_a_person=True)
            for key, channel in rows
        )
        return [row.id for row in rows]


def test_an_organiser_decides_what_becomes_of_uncertain_messages(
    client: FlaskClient, draft: int, uncertain: list[int]
) -> None:
    address = f"/announcements/{draft}/uncertain"
    for page in ("/", f"/announcements/{draft}"):
        text = client.get(page).text
        assert "whether 3 messages were sent" in text, page
        assert f'href="{address}"' in text, page
        assert "We are finding out" not in text, page
    page = client.get(address).text
    for words in ("Ann</bdi>", "Bob</bdi>", "they may get it twice", "they may not have got it"):
        assert words in page
    left = client.post(f"{address}/leave", data={"delivery": uncertain[0]}, follow_redirects=True).text
    assert "1 person counts as not reached." in left
    assert "Ann</bdi>" not in left
    again = client.post(f"{address}/again", follow_redirects=True).text
    assert "Being sent again to 2 people." in again
    assert "could not find out" not in again
    assert "Everything is settled" in client.get(address).text
    assert "Nothing to decide any more" in client.post(f"{address}/again", follow_redirects=True).text
    with read_session() as session:
        states = {row.id: row.state for row in session.execute(select(Delivery.id, Delivery.state))}
    assert states[uncertain[0]] is DeliveryState.UNREACHABLE
    assert DeliveryState.UNCERTAIN not in states.values()


@pytest.mark.parametrize("delivery", ["x", "-1", "9" * 30, "٣", "0"])
def test_a_choice_of_nobody_decides_nothing(
    client: FlaskClient, draft: int, uncertain: list[int], delivery: str
) -> None:
    client.post(f"/announcements/{draft}/uncertain/again", data={"delivery": delivery})
    with read_session() as session:
        found = session.scalars(select(Delivery.state).where(Delivery.id.in_(uncertain))).all()
    assert set(found) == {DeliveryState.UNCERTAIN}


@pytest.mark.usefixtures("uncertain")
def test_nothing_of_what_was_cancelled_is_sent_again(client: FlaskClient, draft: int) -> None:
    client.post(f"/announcements/{draft}/cancel")
    page = client.get(f"/announcements/{draft}/uncertain").text
    assert "was cancelled, so nothing of it is sent again" in page
    assert "they may get it twice" not in page
    assert client.post(f"/announcements/{draft}/uncertain/again").status_code == 409
    answer = client.post(f"/announcements/{draft}/uncertain/leave", follow_redirects=True)
    assert "3 people count as not reached." in answer.text


# --- Everybody else -------------------------------------------------------------------------------------------

PAGES = ("schedule", "budget", "uncertain")
BUTTONS = ("schedule", "take-back", "send-now", "budget", "uncertain/again", "uncertain/leave")


def test_these_pages_are_for_organisers_and_for_announcements_that_are_there(client: FlaskClient, draft: int) -> None:
    data = tomorrow() | {"budget": "5"}
    for page in PAGES:
        assert client.get(f"/announcements/4711/{page}").status_code == 404, page
    for button in BUTTONS:
        assert client.post(f"/announcements/4711/{button}", data=data).status_code == 404, button
    volunteer = client.application.test_client()
    sign_in(volunteer, RoleName.VOLUNTEER)
    for page in PAGES:
        assert volunteer.get(f"/announcements/{draft}/{page}").status_code == 403, page
    for button in BUTTONS:
        assert volunteer.post(f"/announcements/{draft}/{button}", data=data).status_code == 403, button
