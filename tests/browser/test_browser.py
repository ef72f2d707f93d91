"""That a browser can show the application at all."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_whoever_is_not_signed_in_is_asked_to(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
