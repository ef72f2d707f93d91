"""What a test needs from the machine: skipped where it is missing, failed where HUB_REQUIRE_ALL=1."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, install: str) -> NoReturn:
    """Skip the test, naming the line that installs ``what``; where everything is required, fail it."""
    message = f"{what} is missing. Install it with: {install}"
    if os.environ.get("HUB_REQUIRE_ALL") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
