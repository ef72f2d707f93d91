"""Somebody who is signed in, for tests of pages."""

from __future__ import annotations

from flask.testing import FlaskClient

from hub.accounts.models import RoleName
from hub.accounts.service import create_account
from hub.db import utc_now, write_session


def sign_in(client: FlaskClient, role: RoleName, email: str = "") -> int:
    """Give ``client`` the session of a new account, and answer its id. Forms need no token of the page then."""
    client.application.config["WTF_CSRF_ENABLED"] = False
    with write_session() as session:
        account, _password = create_account(session, email or f"{role}@example.org", role, now=utc_now())
        account_id, key = account.id, account.fs_uniquifier
    with client.session_transaction() as kept:
        kept.update({"_user_id": key, "_fresh": True})
    return account_id
