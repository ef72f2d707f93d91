"""Signing in and out, and what stops somebody who guesses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask_security import url_for_security
from passlib.totp import TOTP
from sqlalchemy import select

from hub.accounts import service as accounts
from hub.accounts.models import Account, RoleName
from hub.app import create_app
from hub.db import read_session, write_session
from tests.web.conftest import PASSWORD, Visitor

REFUSED = "do not match an account"


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD, **query: str) -> str:
    return visitor.post("/sign-in", {"email": email, "password": password, **query}).text


def test_the_right_password_opens_the_home_page(anybody: Visitor, account_of: Callable[..., str]) -> None:
    assert "Welcome to Everyway" in sign_in(anybody, account_of(RoleName.ORGANISER))


def test_the_address_may_be_typed_in_capitals(anybody: Visitor, account_of: Callable[..., str]) -> None:
    assert "Welcome to Everyway" in sign_in(anybody, account_of(RoleName.ORGANISER).upper())


def test_a_wrong_password_and_an_unknown_address_are_told_the_same(
    anybody: Visitor, account_of: Callable[..., str]
) -> None:
    known = sign_in(anybody, account_of(RoleName.ORGANISER), "not the password")
    unknown = sign_in(anybody, "nobody@example.org", "not the password")
    assert REFUSED in known
    assert REFUSED in unknown
    assert "nobody@example.org" not in known


def test_an_account_that_is_switched_off_cannot_sign_in(anybody: Visitor, account_of: Callable[..., str]) -> None:
    email = account_of(RoleName.ORGANISER)
    with write_session() as session:
        found = accounts.find_account(session, email)
        assert found is not None
        accounts.set_active(session, found.id, active=False)
    assert REFUSED in sign_in(anybody, email)


def test_a_page_that_needs_sign_in_comes_back_after_it(anybody: Visitor, account_of: Callable[..., str]) -> None:
    email = account_of(RoleName.ORGANISER)
    asked = anybody.client.get("/people?search=ann")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/sign-in?next=/people?search%3Dann"
    token = anybody.token()
    form = {"email": email, "password": PASSWORD, "csrf_token": token}
    assert anybody.client.post(asked.headers["Location"], data=form).headers["Location"] == "/people?search=ann"


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(
    anybody: Visitor, account_of: Callable[..., str], elsewhere: str
) -> None:
    form = {"email": account_of(RoleName.ORGANISER), "password": PASSWORD, "csrf_token": anybody.token()}
    answer = anybody.client.post("/sign-in", query_string={"next": elsewhere}, data=form)
    assert not answer.headers.get("Location", "/").startswith(("http", "//", "/\\"))


def test_the_eleventh_try_in_a_minute_has_to_wait(anybody: Visitor) -> None:
    form = {"email": "nobody@example.org", "password": "guess", "csrf_token": anybody.token()}
    answers = [anybody.client.post("/sign-in", data=form).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_signing_out_ends_the_session(organiser: Visitor) -> None:
    assert "Sign in" in organiser.post("/sign-out").text
    assert organiser.client.get("/people").status_code == 302


def test_signing_out_takes_more_than_a_link(organiser: Visitor) -> None:
    organiser.get("/sign-out")
    assert organiser.client.get("/people").status_code == 200


def test_a_new_password_ends_other_sessions(app: Flask, organiser: Visitor) -> None:
    elsewhere = Visitor(app)
    sign_in(elsewhere, "organiser@example.org")
    form = {"password": PASSWORD, "new_password": "another four words", "new_password_confirm": "another four words"}
    assert "Your password is changed" in organiser.post("/account/password", form).text
    assert organiser.client.get("/people").status_code == 200
    assert elsewhere.client.get("/people").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "problem"),
    [
        ("wrong", "another four words", "another four words", "not the password you have"),
        (PASSWORD, "short", "short", "at least 10 characters"),
        (PASSWORD, "another four words", "not the same words", "not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "differs from the one you have"),
    ],
)
def test_a_password_that_will_not_do_is_explained(
    organiser: Visitor, old: str, new: str, again: str, problem: str
) -> None:
    form = {"password": old, "new_password": new, "new_password_confirm": again}
    assert problem in organiser.post("/account/password", form).text


def test_with_a_second_step_the_password_alone_opens_nothing(app: Flask, organiser: Visitor) -> None:
    shown = organiser.post("/account/second-step", {"setup": "authenticator"})
    key = shown.text.split('Key: <span class="ew-reference ew-anywhere">')[1].split("<")[0]
    code = TOTP(key=key.replace("-", "").replace(" ", "")).generate().token
    action = shown.text.split('action="/account/second-step/')[1].split('"')[0]
    assert "From now on" in organiser.post(f"/account/second-step/{action}", {"code": code}).text

    visitor = Visitor(app)
    asked = sign_in(visitor, "organiser@example.org")
    assert "Enter your code" in asked
    token = asked.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    assert visitor.client.get("/people").status_code == 302
    assert "That code is not right" in visitor.post("/sign-in/code", {"code": "000000", "csrf_token": token}).text
    again = TOTP(key=key.replace("-", "").replace(" ", "")).generate().token
    visitor.post("/sign-in/code", {"code": again, "csrf_token": token})
    assert visitor.client.get("/people").status_code == 200


def test_the_secret_of_the_second_step_is_not_stored_readably(organiser: Visitor) -> None:
    shown = organiser.post("/account/second-step", {"setup": "authenticator"}).text
    key = shown.split('Key: <span class="ew-reference ew-anywhere">')[1].split("<")[0].replace("-", "")
    with read_session() as session:
        stored = session.scalars(select(Account.tf_totp_secret)).all()
    assert all(key not in (secret or "") for secret in stored)


def test_without_email_there_is_no_page_for_forgotten_passwords(anybody: Visitor) -> None:
    assert "Ask an administrator" in anybody.get("/sign-in").text
    assert anybody.get("/account/forgotten").status_code == 404


def test_with_email_there_is_one(settings_for: Callable[..., object], app: Flask) -> None:
    settings_for(email_provider="smtp", smtp_url="smtp://localhost:1", email_from="us@example.org")
    visitor = Visitor(create_app())
    with visitor.client.application.test_request_context():
        assert url_for_security("forgot_password") == "/account/forgotten"
    assert "I have forgotten my password" in visitor.get("/sign-in").text
