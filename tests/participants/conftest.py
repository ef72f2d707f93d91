"""One database of each kind for all tests of people: what a test writes is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from hub.db import make_engine
from tests.services.sqlite import copy_template


@pytest.fixture
def now() -> datetime:
    """The present moment of these tests."""
    return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def people_engine(request: pytest.FixtureRequest, run_folder: Path) -> Iterator[Engine]:
    """A migrated database that nobody commits to."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgresql").database() as url:
            engine = make_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
            yield engine
            engine.dispose()
        return
    with TemporaryDirectory(dir=run_folder) as folder:
        file = Path(folder) / "people.sqlite3"
        copy_template(run_folder, file)
        engine = make_engine(f"sqlite:///{file}")
        yield engine
        engine.dispose()


@pytest.fixture
def session(people_engine: Engine) -> Iterator[Session]:
    """A transaction that is rolled back at the end of the test."""
    with people_engine.connect().execution_options(writes=True) as connection, Session(connection) as session:
        yield session
