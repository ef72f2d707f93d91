"""An organiser at the application, for tests of pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.accounts.models import RoleName
from tests.conversations.signing_in import sign_in
from tests.services.site import application


@pytest.fixture
def client(database: Engine) -> FlaskClient:
    """Somebody who may write and send, without scripts."""
    made = application().test_client()
    sign_in(made, RoleName.ORGANISER)
    return made
