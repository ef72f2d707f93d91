"""What every page is protected by, and what somebody sees when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, abort
from structlog.testing import capture_logs

from config.settings import Settings
from hub.accounts.models import RoleName
from hub.app import create_app
from hub.errors import Conflict
from hub.web.protection import CONTENT_SECURITY_POLICY
from tests.web.conftest import Visitor

ORGANISERS_PAGES = ["/people", "/people/add", "/people/groups", "/settings", "/announcements", "/conversations"]


@pytest.fixture
def broken(sqlite_database: object) -> Flask:
    """An application with pages that fail in every way."""
    app = create_app()

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError("the database password is hunter2")

    @app.get("/refuses")
    def refuses() -> str:
        raise Conflict("Somebody else has sent it already.")

    @app.get("/aborts/<int:status>")
    def aborts(status: int) -> str:
        abort(status)

    return app


@pytest.mark.parametrize("page", ["/sign-in", "/nothing-here", "/static/everyway.css"])
def test_every_answer_forbids_what_is_not_ours(anybody: Visitor, page: str) -> None:
    answer = anybody.get(page)
    answer.close()
    headers = answer.headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]


def test_pages_are_not_kept_by_browsers_and_versions_of_files_are(anybody: Visitor) -> None:
    page = anybody.get("/sign-in")
    assert page.headers["Cache-Control"] == "no-store"
    style = page.text.split('href="/static/everyway.css')[1].split('"')[0]
    answer = anybody.get(f"/static/everyway.css{style}")
    answer.close()
    assert "immutable" in answer.headers["Cache-Control"]


def test_over_https_cookies_and_connections_stay_on_it(
    sqlite_database: object, settings_for: Callable[..., Settings]
) -> None:
    settings_for(public_url="https://hub.example.org")
    answer = create_app().test_client().get("/sign-in", base_url="https://hub.example.org")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax"))


def test_what_a_proxy_says_counts_only_where_one_was_announced(
    sqlite_database: object, settings_for: Callable[..., Settings]
) -> None:
    def scheme_seen(app: Flask) -> str:
        app.add_url_rule("/scheme", "scheme", lambda: __import__("flask").request.scheme)
        return app.test_client().get("/scheme", headers={"X-Forwarded-Proto": "https"}).text

    assert scheme_seen(create_app()) == "http"
    settings_for(trusted_proxies=1)
    assert scheme_seen(create_app()) == "https"


@pytest.mark.parametrize("page", ORGANISERS_PAGES)
def test_nobody_sees_a_page_without_signing_in(anybody: Visitor, page: str) -> None:
    answer = anybody.client.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("page", ORGANISERS_PAGES)
def test_a_volunteer_sees_no_page_of_organisers(signed_in: Callable[..., Visitor], page: str) -> None:
    volunteer = signed_in(RoleName.VOLUNTEER)
    assert volunteer.get(page).status_code == 403


def test_a_volunteer_gets_a_menu_without_the_pages_of_organisers(signed_in: Callable[..., Visitor]) -> None:
    text = signed_in(RoleName.VOLUNTEER).get("/account").text
    assert 'href="/people"' not in text


def test_an_organiser_makes_no_accounts(organiser: Visitor) -> None:
    assert organiser.post("/settings/accounts", {"email": "x@example.org", "role": "admin"}).status_code == 403


def test_a_program_without_sign_in_is_told_in_json(anybody: Visitor) -> None:
    answer = anybody.client.get("/people", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json == {"error": "You need to sign in to see this page."}


def test_a_form_without_our_token_changes_nothing(organiser: Visitor, person: Callable[..., int]) -> None:
    participant_id = person()
    answer = organiser.client.post(f"/people/{participant_id}/archive")
    assert answer.status_code == 400
    assert "open too long" in answer.text
    assert "Left the group" not in organiser.get(f"/people/{participant_id}").text


def test_an_error_of_ours_is_a_page_with_its_words(broken: Flask) -> None:
    answer = broken.test_client().get("/refuses")
    assert answer.status_code == 409
    assert "Somebody else has sent it already." in answer.text
    assert broken.test_client().get("/refuses", headers={"Accept": "application/json"}).json == {
        "error": "Somebody else has sent it already."
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "Page not found"), (405, "can’t be done here"), (413, "too large"), (429, "Too many tries")],
)
def test_every_refusal_says_what_to_do(broken: Flask, status: int, words: str) -> None:
    answer = broken.test_client().get(f"/aborts/{status}")
    assert answer.status_code == status
    assert words in answer.text


def test_a_fault_of_ours_gives_a_reference_and_nothing_else_away(broken: Flask) -> None:
    broken.config["PROPAGATE_EXCEPTIONS"] = False
    with capture_logs() as logs:
        answer = broken.test_client().get("/fails")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    reference = next(entry["reference"] for entry in logs if entry["event"] == "unforeseen error")
    assert reference in answer.text


def test_an_upload_that_is_far_too_large_is_refused(organiser: Visitor) -> None:
    answer = organiser.post("/people/add", {"notes": "x" * (3 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "too large" in answer.text
