"""The pages on which an announcement is written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from hub.accounts.models import RoleName
from hub.announcements.models import Announcement, AnnouncementState, Variant
from hub.announcements.rules import find_variant
from hub.announcements.service import audience_of
from hub.db import read_session, write_session
from hub.participants.models import Format
from tests.conversations.signing_in import sign_in
from tests.deliveries.people import announcement, group_id, somebody

HOSTILE = "<script>alert(1)</script> {{7*7}} ((name)) \u202eabc"


@pytest.fixture
def draft(client: FlaskClient) -> int:
    with write_session() as session:
        return announcement(session, bodies={}, everyone=False).id


def saved(announcement_id: int) -> Announcement:
    with read_session() as session:
        found = session.get_one(Announcement, announcement_id)
        assert found.variants is not None
        assert audience_of(found)
        session.expunge_all()
        return found


def body(announcement_id: int, channel: str, language: str = "en") -> str | None:
    found = find_variant(saved(announcement_id).variants, channel, language, Format.STANDARD)
    return found.body if found else None


def form(announcement_id: int, **texts: str) -> dict[str, str]:
    """What a browser sends back: every text as it was shown, changed as ``texts`` say."""
    now = saved(announcement_id)
    shown = {variant.channel: variant.body.replace("\n", "\r\n") for variant in now.variants}
    return {"subject": "", "revision": str(now.revision), "save": "yes", **shown, **texts}


def test_an_announcement_is_begun_with_a_title_and_leads_on_to_its_audience(client: FlaskClient) -> None:
    assert "What is it about?" in client.get("/announcements/new").text
    begun = {"title": "  Hall\x00  closed ", "topic": "1", "urgent": "y", "until_day": "2026-12-24"}
    answer = client.post("/announcements/new", data=begun)
    assert answer.headers["Location"] == "/announcements/1/audience"
    made = saved(1)
    assert (made.title, made.urgent, made.state) == ("Hall closed", True, AnnouncementState.DRAFT)
    assert f"{made.useful_until:%Y-%m-%d %H:%M}" == "2026-12-24 23:59"


def test_details_that_will_not_do_are_named_and_nothing_typed_is_lost(client: FlaskClient) -> None:
    client.get("/announcements/new")
    for details, complaint in [
        ({"title": " "}, "Give the announcement a title."),
        ({"title": "x" * 121}, "Shorten the title to 120 characters"),
        ({"topic": "77"}, "Choose a topic from the list."),
        ({"topic": "x"}, "Choose a topic from the list."),
        ({"until_time": "10:00"}, "Say on which day, too."),
        ({"until_day": "0001-01-01"}, "Give a day between now and 2100."),
        ({"until_day": "tomorrow"}, "There is a problem"),
    ]:
        answer = client.post("/announcements/new", data={"title": "Hall & <b>", "topic": "1", **details})
        assert answer.status_code == 422
        assert complaint in answer.text
        assert details.get("title", "Hall &amp; &lt;b&gt;") in answer.text


def test_words_are_saved_and_the_other_texts_follow(client: FlaskClient, draft: int) -> None:
    answer = client.post(f"/announcements/{draft}/write", data=form(draft, email="The hall is closed."))
    assert answer.status_code == 302
    assert "The hall is closed." in (body(draft, "text") or "")
    client.post(f"/announcements/{draft}/write", data=form(draft, email="The hall is open."))
    assert "The hall is open." in (body(draft, "text") or "")
    page = client.get(f"/announcements/{draft}/write").text
    assert page.count("Written for you") == 3


def test_an_unknown_field_is_saved_and_shown_beside_its_text(client: FlaskClient, draft: int) -> None:
    answer = client.post(f"/announcements/{draft}/write", data=form(draft, email="Hello ((nmae))"))
    assert answer.status_code == 422
    assert "Did you mean ((name))?" in answer.text
    assert 'href="#email"' in answer.text
    assert body(draft, "email") == "Hello ((nmae))"


def test_what_can_not_be_sent_is_named_and_stays_on_the_page(client: FlaskClient, draft: int) -> None:
    for texts, complaint in [
        ({"email": "Hello ((name)"}, "One of these is missing."),
        ({"text": "x" * 1601}, "1,600 is the most"),
        ({"social": "x" * 501}, "500 is the most"),
        ({"social": "Hello ((first name))"}, "Everybody sees the same post"),
        ({"subject": "x" * 201, "email": "a"}, "Shorten the subject to 200"),
        ({"phone": "x" * 50_001}, "Shorten this to 50,000"),
    ]:
        answer = client.post(f"/announcements/{draft}/write", data=form(draft, **texts))
        assert answer.status_code == 422
        assert complaint in answer.text
        assert next(iter(texts.values())) in answer.text


def test_hostile_words_are_shown_as_words(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        somebody(session, HOSTILE, "email", search_text=HOSTILE.casefold())
    client.post(f"/announcements/{draft}/about", data={"title": HOSTILE, "topic": "1"})
    client.post(f"/announcements/{draft}/write", data=form(draft, email=f"Dear ((name)), {HOSTILE}"))
    pages = [f"/announcements/{draft}/{page}" for page in ("about", "audience", "write", "preview", "texts", "delete")]
    for page in [*pages, "/announcements"]:
        text = client.get(page).text
        assert "<script>alert" not in text, page
        assert "alert(1)" in text, page
        assert " 49 " not in text, page
    shown = client.get(f"/announcements/{draft}/preview/email?person=1")
    assert "<script>alert" not in shown.text
    assert "frame-ancestors 'self'; sandbox" in shown.headers["Content-Security-Policy"]
    assert "script-src" not in shown.headers["Content-Security-Policy"]


def test_two_people_who_write_at_once_both_keep_their_words(client: FlaskClient, draft: int) -> None:
    mine = form(draft, email="Mine")
    client.post(f"/announcements/{draft}/write", data=form(draft, email="Theirs"))
    answer = client.post(f"/announcements/{draft}/write", data=mine)
    assert answer.status_code == 409
    assert "Somebody else changed" in answer.text
    assert "Mine" in answer.text
    assert body(draft, "email") == "Theirs"
    revision = re.search(r'name="revision"[^>]*value="(\d+)"', answer.text)
    assert revision is not None
    client.post(f"/announcements/{draft}/write", data=mine | {"revision": revision[1]})
    assert body(draft, "email") == "Mine"


def test_costly_characters_are_named_and_replaced_with_one_press(client: FlaskClient, draft: int) -> None:
    counted = client.post(f"/announcements/{draft}/count", data={"text": "It’s ŵell"}).text
    assert "right single quotation mark" in counted
    assert "Use plain characters instead" in counted
    changed = form(draft, text="It’s ŵell")
    del changed["save"]
    client.post(f"/announcements/{draft}/write", data={**changed, "plain_text": "yes"})
    assert body(draft, "text") == "It's ŵell"


def test_parts_are_counted_as_they_are_billed(client: FlaskClient, draft: int) -> None:
    for text, says in [
        ("", "Nobody gets a text message while this is empty."),
        ("a" * 160, "<strong>1 part</strong>"),
        ("a" * 161, "<strong>2 parts</strong>"),
        ("ŵ" * 71, "<strong>2 parts</strong>"),
        ("((name))" + "a" * 152, "<strong>1 part</strong>"),
        ("((first name))" + "a" * 153, "<strong>2 parts</strong>"),
    ]:
        assert says in client.post(f"/announcements/{draft}/count", data={"text": text}).text


def test_a_text_can_be_written_for_you_again(client: FlaskClient, draft: int) -> None:
    client.post(f"/announcements/{draft}/write", data=form(draft, email="The hall is closed."))
    client.post(f"/announcements/{draft}/write", data=form(draft, text="By hand"))
    assert body(draft, "text") == "By hand"
    client.post(f"/announcements/{draft}/write", data={**form(draft), "again": "text"})
    assert "The hall is closed." in (body(draft, "text") or "")


def test_other_languages_and_formats_have_pages_of_their_own(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        somebody(session, "Olwen", "email", language="cy", formats=["easy_read"])
    welsh = f"/announcements/{draft}/write?language=cy&format=standard"
    assert "Welsh (new)" in client.get(welsh).text
    client.post(f"/announcements/{draft}/write", data=form(draft, email="Closed"))
    only_welsh = {"revision": str(saved(draft).revision), "email": "Ar gau", "save": "yes"}
    client.post(welsh, data=only_welsh)
    assert body(draft, "email", "cy") == "Ar gau"
    assert body(draft, "email") == "Closed"
    assert "Ar gau" in client.get(f"/announcements/{draft}/preview").text
    client.post(welsh, data={**only_welsh, "revision": str(saved(draft).revision), "remove": "yes"})
    assert body(draft, "email", "cy") is None
    assert client.get(f"/announcements/{draft}/write?language=xx").status_code == 404
    assert client.get(f"/announcements/{draft}/write?format=smoke").status_code == 404


def test_a_preview_is_what_the_person_would_get(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        somebody(session, "Margaret", "text", "email", known_as="Peggy", search_text="margaret peggy")
    client.post(f"/announcements/{draft}/write", data=form(draft, email="Hello ((name)), it is **closed**."))
    page = client.get(f"/announcements/{draft}/preview").text
    assert "is reached by text message, then email" in page
    assert "Hello Peggy" in page
    assert "<strong>closed</strong>" in client.get(f"/announcements/{draft}/preview/email?person=1").text
    found = client.post(f"/announcements/{draft}/preview", data={"find": "peg"}).text
    assert "1 person found" in found


def test_who_it_is_for_is_kept_whichever_button_is_pressed(client: FlaskClient, draft: int) -> None:
    with write_session() as session:
        ann, bob = somebody(session, "Ann", search_text="ann"), somebody(session, "Bob", search_text="bob")
        carers, tenants = group_id(session, "Carers"), group_id(session, "Tenants")
        ids = (ann.id, bob.id)
    address = f"/announcements/{draft}/audience"
    chosen = {"who": "some", "groups": [str(carers), str(tenants)], "without": [str(tenants)]}
    assert "Bob" in client.post(address, data={**chosen, "search": "yes", "find": "bob"}).text
    client.post(address, data={**chosen, "include": str(ids[0])})
    client.post(address, data={**chosen, "leave_out": str(ids[1])})
    audience = audience_of(saved(draft))
    assert (audience.groups, audience.groups_left_out) == ({carers}, {tenants})
    assert (audience.people, audience.people_left_out) == ({ids[0]}, {ids[1]})
    client.post(address, data={**chosen, "forget": str(ids[1])})
    assert audience_of(saved(draft)).people_left_out == frozenset()
    answer = client.post(address, data={"who": "everyone", "save": "yes"})
    assert answer.headers["Location"] == f"/announcements/{draft}/write"
    assert saved(draft).everyone


def test_an_audience_of_nobody_or_of_unknown_people_is_refused(client: FlaskClient, draft: int) -> None:
    refused: list[tuple[dict[str, Any], int]] = [
        ({"who": "some", "save": "yes"}, 422),
        ({"save": "yes"}, 422),
        ({"who": "some", "groups": ["x", "-1", "9" * 30], "save": "yes"}, 422),
        ({"who": "some", "groups": ["4711"], "save": "yes"}, 404),
        ({"who": "some", "include": "4711"}, 404),
    ]
    for audience, status in refused:
        assert client.post(f"/announcements/{draft}/audience", data=audience).status_code == status


def test_a_copy_opens_as_a_draft(client: FlaskClient, draft: int) -> None:
    client.post(f"/announcements/{draft}/write", data=form(draft, email="Closed"))
    answer = client.post(f"/announcements/{draft}/copy")
    copied = int(answer.headers["Location"].split("/")[2])
    assert saved(copied).title == "Copy of Meeting"
    assert body(copied, "email") == "Closed"


def test_a_draft_is_deleted_after_asking(client: FlaskClient, draft: int) -> None:
    assert "Delete this draft?" in client.get(f"/announcements/{draft}/delete").text
    answer = client.post(f"/announcements/{draft}/delete", follow_redirects=True)
    assert "The draft “Meeting” is deleted." in answer.text
    assert client.get(f"/announcements/{draft}/about").status_code == 404


def test_what_was_launched_can_not_be_changed_on_any_page(client: FlaskClient, draft: int) -> None:
    client.post(f"/announcements/{draft}/write", data=form(draft, email="Closed"))
    sent_back = form(draft, email="Open")
    with write_session() as session:
        session.get_one(Announcement, draft).state = AnnouncementState.UNDER_WAY
    for page, data in {
        "about": {"title": "x", "topic": "1"},
        "audience": {"who": "everyone", "save": "yes"},
        "write": sent_back,
        "delete": {},
    }.items():
        assert client.get(f"/announcements/{draft}/{page}").status_code == 409, page
        answer = client.post(f"/announcements/{draft}/{page}", data=data)
        assert answer.status_code == 409, page
        assert "Copy it to send it again" in answer.text, page
    assert body(draft, "email") == "Closed"
    assert "Closed" in client.get(f"/announcements/{draft}/texts").text


def test_what_is_not_there_is_not_found(client: FlaskClient, draft: int) -> None:
    for number in ("4711", "0", "2147483648", "9" * 30):
        for page in ("about", "audience", "write", "preview", "preview/email", "texts", "delete"):
            assert client.get(f"/announcements/{number}/{page}").status_code == 404, page
        for page in ("about", "audience", "write", "copy", "delete"):
            assert client.post(f"/announcements/{number}/{page}", data={}).status_code in {404, 405}, page
    for person in ("4711", "0", "x", "-1", "9" * 30):
        assert client.get(f"/announcements/{draft}/preview?person={person}").status_code == 404
        assert client.get(f"/announcements/{draft}/preview/email?person={person}").status_code == 404


def test_writing_is_for_organisers(client: FlaskClient, draft: int) -> None:
    volunteer = client.application.test_client()
    sign_in(volunteer, RoleName.VOLUNTEER)
    for page in ("about", "audience", "write", "preview", "texts", "delete"):
        assert volunteer.get(f"/announcements/{draft}/{page}").status_code == 403, page
    with read_session() as session:
        assert session.scalars(select(Variant)).all() == []
