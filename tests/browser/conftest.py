"""A real browser in front of the real application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine

from tests.services.requirement import missing

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
INSTALL = "apt-get install chromium   (on macOS: brew install --cask google-chrome)"
ARGUMENTS = [
    "--no-sandbox",  # Chromium's own; it can't be had as root, and it visits nothing but our pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, started once for the tests of this folder: an event loop runs in this thread as long as it does."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None) or (str(ON_MACOS) if ON_MACOS.exists() else None)
    if found is None:
        missing("Chromium", INSTALL)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser that has just been unpacked. A script error on it fails the test."""
    expect.set_options(timeout=5_000)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors


@pytest.fixture
def database(sqlite_database: Engine) -> Engine:
    """What a browser shows does not depend on the kind of database: SQLite is enough here."""
    return sqlite_database
