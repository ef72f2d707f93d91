"""The sandbox's pages in a real browser: for everyone, at every width, and without JavaScript."""

from __future__ import annotations

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from channels.sandbox.credentials import DEFAULT
from tests.services.sandbox import Sandbox

NUMBER = "+447700900123"


@pytest.fixture
def pages(sandbox: Sandbox) -> list[str]:
    """The address of each kind of page, with something on it."""
    sandbox.post("fates", text={NUMBER: "fine"}, email={"joan@example.org": "fine"})
    account = (DEFAULT.account_sid, DEFAULT.auth_token)
    text = {"To": NUMBER, "From": DEFAULT.sender, "Body": "The meeting is on Monday. " * 9}
    path = f"{sandbox.url}/2010-04-01/Accounts/{DEFAULT.account_sid}/Messages.json"
    requests.post(path, data=text, auth=account, timeout=10).raise_for_status()
    mail = {
        "personalizations": [{"to": [{"email": "joan@example.org"}]}],
        "from": {"email": "hello@everyway.example"},
        "subject": "The meeting",
        "content": [{"type": "text/plain", "value": "Monday"}, {"type": "text/html", "value": "<p>Monday</p>"}],
        "headers": {
            "List-Unsubscribe": f"<{sandbox.hub_url}/u/a-long-token>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    }
    bearer = {"Authorization": f"Bearer {DEFAULT.sendgrid_api_key}"}
    requests.post(f"{sandbox.url}/v3/mail/send", json=mail, headers=bearer, timeout=10).raise_for_status()
    post, bearer = {"status": "Hello all"}, {"Authorization": f"Bearer {DEFAULT.mastodon_token}"}
    requests.post(f"{sandbox.url}/api/v1/statuses", json=post, headers=bearer, timeout=10).raise_for_status()
    return [sandbox.url + path for path in ("/", "/phones/1", "/mailboxes/2", "/timeline", "/phones/999")]


def test_no_page_has_a_barrier_or_scrolls_sideways(page: Page, pages: list[str]) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        for address in pages:
            page.goto(address)
            found = Axe().run(page)
            assert found.violations_count == 0, (address, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_person_can_be_found_and_answered_for_without_javascript(browser: Browser, pages: list[str]) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(pages[0])
        page.get_by_label("Find a number or an address").fill("07700 900123")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="+44 7700 900123").click()
        page.get_by_label("Your text").fill("Yes, I can come")
        page.get_by_role("button", name="Send the text").click()
        expect(page.get_by_role("status")).to_contain_text("Your text was sent.")
        expect(page.get_by_role("listitem").last).to_contain_text("Yes, I can come")
