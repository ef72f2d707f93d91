"""The application as a browser without scripts meets it."""

from __future__ import annotations

import re
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from hub.accounts import service as accounts
from hub.accounts.models import RoleName
from hub.db import read_session, utc_now, write_session
from hub.participants import service as people
from tests.services.site import application

PASSWORD = "four words to remember"
PASSWORD_HASH = accounts.hashed(PASSWORD)


class Visitor:
    """Somebody with a browser: follows redirects, and sends each form with the token that the page gave them."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self._token = ""

    def get(self, address: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(address, follow_redirects=True, **options)

    def post(self, address: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form, as from our own pages."""
        form = dict(data or {})
        if "csrf_token" not in form:
            self._token = self._token or self.token()
            form["csrf_token"] = self._token
        answer = self.client.post(address, data=form, follow_redirects=True, **options)
        if address.startswith(("/sign-", "/account")):
            self._token = ""  # what opens or ends a session may change it
        return answer

    def token(self) -> str:
        """A token as every form of ours carries it."""
        for address in ("/account", "/sign-in"):
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.client.get(address).text)
            if found:
                return found[1]
        raise AssertionError("no page has a form")


@pytest.fixture
def app(database: Engine) -> Flask:
    """The application on a fresh database of each kind."""
    return application()


@pytest.fixture
def anybody(app: Flask) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def account_of(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Make an account with a role; gives its address. Its password is PASSWORD, hashed once for all tests."""

    def make(role: RoleName, email: str = "") -> str:
        address = email or f"{role.value}@example.org"
        with monkeypatch.context() as patch:
            patch.setattr(accounts, "hashed", lambda _password: PASSWORD_HASH)
            with write_session() as session:
                accounts.create_account(session, address, role, name=role.value.title(), now=utc_now())
        return address

    return make


@pytest.fixture
def signed_in(app: Flask, account_of: Callable[..., str]) -> Callable[..., Visitor]:
    """Somebody with a role, signed in."""

    def enter(role: RoleName = RoleName.ORGANISER) -> Visitor:
        visitor = Visitor(app)
        with read_session() as session:
            account = accounts.find_account(session, account_of(role))
        assert account is not None
        with visitor.client.session_transaction() as cookie:  # as signing in leaves it, without its deliberate slowness
            cookie.update(_user_id=account.fs_uniquifier, _fresh=True, fs_cc="set", fs_paa=time())
        return visitor

    return enter


@pytest.fixture
def organiser(signed_in: Callable[..., Visitor]) -> Visitor:
    """An organiser, signed in."""
    return signed_in(RoleName.ORGANISER)


@pytest.fixture
def person(database: Engine) -> Callable[..., int]:
    """Make a person with contact points, each as (channel, address), in that order; gives their id."""

    def make(first_name: str = "Zelda", *points: tuple[str, str], **details: Any) -> int:
        now = utc_now()
        with write_session() as session:
            details = {"last_name": "Aaa", **details}
            made = people.create_participant(session, people.ParticipantDetails(first_name=first_name, **details), now)
            for rank, (channel, address) in enumerate(points, start=1):
                people.add_contact_point(session, made.id, channel, address, rank=rank, now=now)
            return made.id

    return make
