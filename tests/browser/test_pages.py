"""Every page of people, accounts and settings in a real browser: for everyone, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from config.secret_key import secret_key
from hub.accounts.models import RoleName
from hub.accounts.service import create_account
from hub.db import utc_now, write_session
from hub.participants import service
from hub.participants.models import ConsentSource, Format
from hub.participants.service import ParticipantDetails
from hub.tokens import Purpose, sign
from tests.browser.test_announcements import assert_good_for_everyone, focus, press_enter

EMAIL = "ada@example.org"
PASSWORD = "four words to remember"
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 3


@pytest.fixture
def admin(page: Page, site: str) -> Iterator[Page]:
    """An administrator at the sign-in page. Anything that the browser complains about fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "404 (NOT FOUND)" not in message.text:
            complaints.append(message.text)

    page.on("console", listen)
    with write_session() as session:
        create_account(session, EMAIL, RoleName.ADMIN, name="Ada", password=PASSWORD, now=utc_now())
    page.goto(f"{site}/sign-in")
    yield page
    assert complaints == []


@pytest.fixture
def zelda(site: str) -> int:
    """A person with everything that a page can show."""
    now = utc_now()
    with write_session() as session:
        topics = service.ensure_topics(session)
        details = ParticipantDetails(
            first_name="Zelda",
            last_name=LONG,
            known_as=LONG,
            language="pl",
            best_time_to_call="Tuesday mornings",
            how_to_talk="Text relay 18001",
            notes="Prefers Ms",
            formats=frozenset({Format.LARGE_PRINT, Format.BSL}),
        )
        person = service.create_participant(session, details, now)
        text = service.add_contact_point(session, person.id, "text", "07700 900123", rank=1, now=now)
        service.add_contact_point(session, person.id, "email", f"{'z' * 60}@example.org", rank=2, now=now)
        service.add_contact_point(session, person.id, "phone", "01632 960123", now=now, label="daughter Ann")
        service.mark_bad(session, [text.id], "The number is not in use.", now)
        service.decline_topic(session, person.id, topics[0].id, source=ConsentSource.CALL, now=now, wording="No thanks")
        group = service.create_group(session, f"Group {LONG}")
        service.set_groups(session, person.id, [group.id])
        return person.id


def sign_in(page: Page) -> None:
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_is_good_for_everyone(admin: Page, site: str, zelda: int, width: int) -> None:
    page = admin
    page.set_viewport_size({"width": width, "height": 800})
    assert_good_for_everyone(page)
    page.goto(f"{site}/p/{sign(secret_key(), Purpose.PREFERENCES, zelda)}")
    assert_good_for_everyone(page)
    page.goto(f"{site}/sign-in")
    sign_in(page)
    pages = (
        "",
        "people",
        "people?search=nobody",
        f"people/{zelda}",
        f"people/{zelda}/edit",
        f"people/{zelda}/ways/add",
    )
    pages += (f"people/{zelda}/ways/1/stop", "people/add", "people/groups", "people/groups/1", "people/import")
    pages += ("settings", "account", "account/password", "account/second-step", "nothing-here")
    for address in pages:
        page.goto(f"{site}/{address}")
        for more in page.locator("summary").all():
            more.click()
        assert_good_for_everyone(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_an_empty_hub_is_good_for_everyone(admin: Page, site: str, width: int) -> None:
    page = admin
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page)
    for address in ("", "people", "people/groups", "settings"):
        page.goto(f"{site}/{address}")
        assert_good_for_everyone(page)


def test_twice_the_text_size_hides_nothing(admin: Page, site: str, zelda: int) -> None:
    page = admin
    sign_in(page)
    page.set_viewport_size({"width": 640, "height": 400})  # 1280 × 800 at 200%
    for address in ("", "people", f"people/{zelda}", "settings"):
        page.goto(f"{site}/{address}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_signing_in_and_ranking_take_nothing_but_a_keyboard(admin: Page, site: str, zelda: int) -> None:
    page = admin
    focus(page, "Email address")
    page.keyboard.type(EMAIL)
    focus(page, "Password")
    page.keyboard.type(PASSWORD)
    press_enter(page)
    page.goto(f"{site}/people/{zelda}")
    assert page.locator(".ew-way__address").first.inner_text().startswith("07700")
    focus(page, "Skip to main content")
    focus(page, "↑\nMove Email")
    press_enter(page)
    assert page.locator(".ew-way__address").first.inner_text().startswith("zzz")


def test_an_import_takes_no_script(browser: object, admin: Page, site: str) -> None:
    context = admin.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]  # it has one
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Import a spreadsheet").click()
    content = b"Name,Phone\nJoan Scott,07700 900712\n"
    page.get_by_label("Your spreadsheet").set_input_files(
        {"name": "contacts.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Import now").first.click()
    page.get_by_role("link", name="Go to people").click()
    expect(page.get_by_role("link", name="Joan Scott")).to_be_visible()
    context.close()
