"""Bringing a database up to date."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.services.postgresql import PostgreSQL

RunHub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


@pytest.fixture
def empty_postgresql(postgresql: PostgreSQL) -> Iterator[str]:
    with postgresql.empty_database() as url:
        yield url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_machines_may_migrate_one_database_at_once(
    kind: str, request: pytest.FixtureRequest, run_hub: RunHub
) -> None:
    url = request.getfixturevalue(f"empty_{kind}")
    with ThreadPoolExecutor() as machines:
        results = list(machines.map(lambda _: run_hub("migrate", DATABASE_URL=url), range(2)))
    assert [(result.returncode, result.stderr) for result in results] == [(0, ""), (0, "")]
