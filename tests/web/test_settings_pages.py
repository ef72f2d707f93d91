"""Settings, accounts and the home page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask import Flask

from config.settings import Settings
from hub.accounts import service as accounts
from hub.accounts.cli import account
from hub.accounts.models import RoleName
from hub.db import read_session, utc_now, write_session
from hub.deliveries.stopping import stop_channel
from tests.web.conftest import Visitor


@pytest.fixture
def admin(signed_in: Callable[..., Visitor]) -> Visitor:
    """An administrator, signed in."""
    return signed_in(RoleName.ADMIN)


def test_an_empty_hub_says_how_to_begin(organiser: Visitor) -> None:
    page = organiser.get("/").text
    assert "Import a spreadsheet" in page
    assert "Write an announcement" in page


def test_home_counts_people_without_a_way_and_leads_to_them(organiser: Visitor, person: Callable[..., int]) -> None:
    person("Zelda", ("text", "07700 900123"))
    person("Leon")
    page = organiser.get("/").text
    assert "person we have no way to reach" in page
    address = re.search(r'href="(/people\?show=no_way)"', page)
    assert address is not None
    behind = organiser.get(address[1]).text
    assert "Leon" in behind
    assert "Zelda" not in behind


def test_a_stopped_channel_is_told_on_home_and_tried_again_from_settings(
    organiser: Visitor, person: Callable[..., int]
) -> None:
    person("Zelda", ("text", "07700 900123"))
    with write_session() as session:
        stop_channel(session, "text", "20003", "Twilio does not accept the account’s password.", utc_now())
    assert "Twilio does not accept" in organiser.get("/").text
    assert "is being tried again" in organiser.post("/settings/channels/text/resume").text
    assert "Twilio does not accept" not in organiser.get("/").text


def test_settings_name_what_is_missing_and_never_show_a_secret(
    organiser: Visitor, settings_for: Callable[..., Settings], database: object
) -> None:
    url = Settings().database_url
    settings_for(twilio_auth_token="s3cr3t-token", twilio_account_sid="AC123", database_url=url)
    page = organiser.get("/settings").text
    assert "s3cr3t-token" not in page
    assert "SENDGRID_API_KEY" in page
    assert "TWILIO_AUTH_TOKEN" not in page
    assert "TWILIO_FROM" in page


def test_a_topic_is_added_once(organiser: Visitor) -> None:
    assert "Garden" in organiser.post("/settings/topics", {"name": "Garden"}).text
    again = organiser.post("/settings/topics", {"name": "garden"})
    assert again.status_code == 422
    assert "already" in again.text


def test_an_administrator_makes_an_account_whose_password_is_shown_once(app: Flask, admin: Visitor) -> None:
    form = {"email": "Vic@Example.org", "name": "Vic", "role": "volunteer"}
    shown = admin.post("/settings/accounts", form).text
    password = re.search(r'ew-password">([^<]+)<', shown)
    assert password is not None
    visitor = Visitor(app)
    visitor.post("/sign-in", {"email": "vic@example.org", "password": password[1]})
    assert visitor.client.get("/account").status_code == 200
    assert password[1] not in admin.get("/settings").text
    assert admin.post("/settings/accounts", form).status_code == 422
    assert "not an email address" in admin.post("/settings/accounts", {**form, "email": "nobody"}).text


def test_an_account_is_switched_off_with_its_sessions_and_on_again(
    app: Flask, admin: Visitor, organiser: Visitor
) -> None:
    with read_session() as session:
        found = accounts.find_account(session, "organiser@example.org")
        assert found is not None
        account_id = found.id
    assert "Undo" in admin.post(f"/settings/accounts/{account_id}/active", {"active": "no"}).text
    assert organiser.client.get("/people").status_code == 302
    assert "can sign in again" in admin.post(f"/settings/accounts/{account_id}/active", {"active": "yes"}).text


def test_nobody_switches_their_own_account_off(admin: Visitor) -> None:
    with read_session() as session:
        found = accounts.find_account(session, "admin@example.org")
        assert found is not None
    assert "your own account" in admin.post(f"/settings/accounts/{found.id}/active", {"active": "no"}).text


def test_a_new_password_from_an_administrator_replaces_the_old_one(admin: Visitor, organiser: Visitor) -> None:
    with read_session() as session:
        found = accounts.find_account(session, "organiser@example.org")
        assert found is not None
    assert "shown only once" in admin.post(f"/settings/accounts/{found.id}/password").text
    assert organiser.client.get("/people").status_code == 302


def test_the_command_makes_an_account_and_prints_a_password(database: object) -> None:
    done = CliRunner().invoke(account, ["create", "ann@example.org", "--role", "organiser", "--name", "Ann"])
    assert done.exit_code == 0
    assert re.search(r"Password: (\w{4}-){3}\w{4}", done.output)


def test_the_command_takes_a_password_and_keeps_it_to_itself(database: object) -> None:
    arguments = ["create", "ann@example.org", "--role", "admin", "--password-stdin"]
    done = CliRunner().invoke(account, arguments, input="four words to remember\n")
    assert done.exit_code == 0
    assert "four words" not in done.output


@pytest.mark.parametrize(
    ("arguments", "given", "problem"),
    [
        (["create", "nobody", "--role", "admin"], "", "not an email address"),
        (["create", "taken@example.org", "--role", "admin"], "", "has an account already"),
        (["create", "b@example.org", "--role", "admin", "--password-stdin"], "short\n", "at least 10 characters"),
        (["password", "nobody@example.org"], "", "No account has the address"),
    ],
)
def test_the_command_says_what_is_wrong(
    account_of: Callable[..., str], arguments: list[str], given: str, problem: str
) -> None:
    account_of(RoleName.ADMIN, "taken@example.org")
    done = CliRunner().invoke(account, arguments, input=given)
    assert problem in str(done.exception)
