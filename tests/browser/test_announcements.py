"""From an idea to a sent announcement in a real browser: by keyboard alone, and on a small phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import update

from hub.accounts.models import RoleName
from hub.accounts.service import create_account
from hub.announcements import service as announcements
from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, utc_now, write_session
from hub.deliveries import scheduling, service
from hub.deliveries.models import Delivery
from hub.participants.groups import ensure_topics
from tests.deliveries.people import announcement, somebody

EMAIL = "ann@example.org"
PASSWORD = "four words to remember"


@pytest.fixture
def organiser(page: Page, site: str) -> Page:
    """An organiser who has just signed in, with a few people to write to."""
    with write_session() as session:
        create_account(session, EMAIL, RoleName.ORGANISER, password=PASSWORD, now=utc_now())
        ensure_topics(session)
        somebody(session, "Ann", "email")
        somebody(session, "Bob", "text", groups=["Carers"])
        somebody(session, "Cat", "phone", language="cy", formats=["easy_read"])
        somebody(session, "Dan")
    page.goto(f"{site}/sign-in")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Announcements", exact=True)).to_be_attached()
    return page


def focus(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(
            """name => { const here = document.activeElement;
                const words = [here.innerText, ...[...(here.labels || [])].map(label => label.innerText)];
                return words.some(text => (text || "").trim().startsWith(name)); }""",
            name,
        ):
            return
    raise AssertionError(f"“{name}” is not reached by keyboard")


def press_enter(page: Page) -> None:
    """Press what has the focus, and wait for the next page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def assert_good_for_everyone(page: Page) -> None:
    """No rule of axe is broken, and nothing hangs out of the page."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [1280, 360])
def test_an_announcement_is_written_checked_and_sent_by_keyboard_alone(organiser: Page, site: str, width: int) -> None:
    page = organiser
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/announcements")
    assert_good_for_everyone(page)

    focus(page, "Write the first one")
    press_enter(page)
    focus(page, "Title")
    page.keyboard.type("Hall closed on Monday")
    assert_good_for_everyone(page)
    press_enter(page)

    expect(page.get_by_role("heading", name="Who is it for?")).to_be_visible()
    focus(page, "Some groups or people")
    page.keyboard.press("ArrowUp")
    assert_good_for_everyone(page)
    focus(page, "Save and go on")
    press_enter(page)

    expect(page.get_by_role("heading", name="What does it say?")).to_be_visible()
    focus(page, "Email message")
    page.keyboard.type("Hello ((name)), the hall is closed on Monday.")
    focus(page, "Save")
    press_enter(page)
    expect(page.get_by_label("Words of the text")).to_have_value(
        "Hello ((name)), this is ((group name)). The hall is closed on Monday. Reply STOP to stop texts."
    )
    assert_good_for_everyone(page)
    focus(page, "Save and see it as one person")
    press_enter(page)
    expect(page.frame_locator("iframe").get_by_text("Hello Ann, the hall is closed")).to_be_visible()
    assert_good_for_everyone(page)
    focus(page, "Check who gets it")
    press_enter(page)

    expect(page.get_by_role("heading", name="Ready to send")).to_be_visible()
    assert_good_for_everyone(page)
    focus(page, "Send to 3 people")
    press_enter(page)
    expect(page.get_by_text("You can still undo it.")).to_be_visible()
    assert_good_for_everyone(page)
    focus(page, "Send now")
    press_enter(page)
    expect(page.get_by_text("is on its way.")).to_be_visible()
    assert_good_for_everyone(page)
    with read_session() as session:
        assert session.get_one(Announcement, 1).state is AnnouncementState.UNDER_WAY

    page.goto(f"{site}/announcements/1/people")
    assert_good_for_everyone(page)


def test_parts_are_counted_while_somebody_types(organiser: Page, site: str) -> None:
    page = organiser
    with write_session() as session:
        session.add(Announcement(title="Hall", topic_id=1, created_at=utc_now()))
    page.goto(f"{site}/announcements/1/write")
    text = page.locator("#text")
    text.fill("a" * 161)
    expect(page.get_by_text("2 parts")).to_be_visible()
    text.fill("It’s on")
    expect(page.get_by_text("right single quotation mark")).to_be_visible()
    page.get_by_role("button", name="Use plain characters instead").click()
    expect(text).to_have_value("It's on")


def test_the_numbers_change_by_themselves(organiser: Page, site: str) -> None:
    page = organiser
    with write_session() as session:
        made = announcements.write(
            session,
            title="Hall",
            body="Closed.",
            topic_id=1,
            urgent=False,
            everyone=True,
            group_ids=[],
            by=None,
            now=utc_now(),
        )
        service.check(session, made, utc_now())
        service.launch(session, made, None, utc_now())
    page.goto(f"{site}/announcements/{made}")
    expect(page.get_by_role("link", name="2 on its way")).to_be_visible()
    with write_session() as session:
        session.execute(update(Delivery).where(Delivery.channel == "email").values(state="delivered"))
    expect(page.get_by_role("link", name="1 reached")).to_be_visible()
    assert_good_for_everyone(page)


@pytest.mark.parametrize("stands_in_the_way", [False, True])
def test_the_page_of_what_waits_moves_on_by_itself(organiser: Page, site: str, stands_in_the_way: bool) -> None:
    page, now = organiser, utc_now()
    with write_session() as session:
        made = announcement(session, title="Hall closed").id
        service.check(session, made, now)
        scheduling.schedule(session, made, now + timedelta(seconds=60), None, now)
    page.goto(f"{site}/announcements/{made}")
    expect(page.get_by_role("heading", name="It leaves in")).to_be_visible()
    with write_session() as session:
        if stands_in_the_way:
            session.get_one(Announcement, made).useful_until = now
        scheduling.launch_scheduled(session, made, now + timedelta(seconds=60))
    heading = "Put this right first" if stands_in_the_way else "Where everybody is"
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert_good_for_everyone(page)


def test_minutes_of_silence_are_asked_for_only_while_it_is_urgent(organiser: Page, site: str) -> None:
    page = organiser
    page.goto(f"{site}/announcements/new")
    minutes = page.get_by_label("If somebody has not answered")
    expect(minutes).to_be_hidden()
    page.get_by_label("It is urgent").check()
    expect(minutes).to_be_visible()
    assert_good_for_everyone(page)
