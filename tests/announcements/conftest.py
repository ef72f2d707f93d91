"""An organiser at the application, for tests of pages."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.accounts.models import RoleName
from hub.app import create_app
from tests.conversations.signing_in import sign_in


@cache
def _app() -> Flask:
    """Made once: it asks for its database anew at every request, and need not compile its templates again."""
    return create_app()


@pytest.fixture
def client(database: Engine) -> FlaskClient:
    """Somebody who may write and send, without scripts."""
    made = _app().test_client()
    sign_in(made, RoleName.ORGANISER)
    return made
