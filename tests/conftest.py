"""What every test may lean on: settings of its own, and real servers.

Nothing of the person who runs the tests leaks in: no ``.env``, no environment variable that is a setting.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine

import hub.db
from config.settings import Settings, settings
from tests.services.lifeline import Run
from tests.services.postgresql import PostgreSQL
from tests.services.sandbox import Sandbox, free_port
from tests.services.site import serving
from tests.services.sqlite import copy_template
from tests.services.valkey import Valkey

ROOT = Path(__file__).parent.parent
SECRET_KEY = "a-key-for-tests-that-signs-nothing-real"
OUR_PACKAGES = ("config.", "channels.", "hub.", "workers.")

run_folder_key = pytest.StashKey[Path]()
run_key = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run one folder; xdist's workers are told where it is."""
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker_input is None:
        config.stash[run_key] = Run()
        config.stash[run_folder_key] = config.stash[run_key].folder
        # tmp_path is there too, and goes with it. “--basetemp DIR” keeps it, to look at.
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(config.stash[run_folder_key])
    else:
        config.stash[run_folder_key] = Path(worker_input["run_folder"])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    run = config.stash.get(run_key, None)
    if run is not None:
        run.end()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the run's folder is."""
    node.workerinput["run_folder"] = str(node.config.stash[run_folder_key])


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """The folder that all processes of this test run share."""
    return pytestconfig.stash[run_folder_key]


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Settings from nowhere but the test: an empty working directory, no variables, and nothing remembered."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EVERYWAY_ENV_FILE", "")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("SANDBOX", "1")
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    """Drop what a process makes once from its settings: what every cached function of ours without arguments holds."""
    for name, module in list(sys.modules.items()):
        if name.startswith(OUR_PACKAGES):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper) and not value.__wrapped__.__code__.co_argcount:
                    _drop(value)


def _drop(cached: functools._lru_cache_wrapper[Any]) -> None:
    if cached.cache_info().currsize:
        held = cached()
        for end in ("dispose", "close"):
            getattr(held, end, lambda: None)()
        cached.cache_clear()


@pytest.fixture
def settings_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Call with ``name=value`` to change this process's settings for the rest of the test; gives the new ones."""

    def change(**values: object) -> Settings:
        for name, value in values.items():
            monkeypatch.setenv(name.upper(), str(value))
        forget()
        return settings()

    return change


@pytest.fixture(scope="session")
def postgresql(run_folder: Path) -> PostgreSQL:
    """The PostgreSQL server of this run."""
    return PostgreSQL(run_folder)


@pytest.fixture
def sqlite_database(tmp_path: Path, run_folder: Path, settings_for: Callable[..., Settings]) -> Engine:
    """A fresh migrated SQLite database that the settings name by their default: a file under DATA_DIR."""
    target = tmp_path / "var" / "everyway.sqlite3"
    target.parent.mkdir(exist_ok=True)
    copy_template(run_folder, target)
    settings_for()
    return hub.db.engine()


@pytest.fixture
def postgresql_database(postgresql: PostgreSQL, settings_for: Callable[..., Settings]) -> Iterator[Engine]:
    """A fresh migrated PostgreSQL database that the settings name."""
    with postgresql.database() as url:
        settings_for(database_url=url)
        yield hub.db.engine()
        forget()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Engine:
    """A fresh migrated database, once of each kind; ``hub.db`` and the settings use it."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture(scope="session")
def valkey_server(run_folder: Path) -> Valkey:
    """The Valkey of this worker."""
    return Valkey(run_folder)


@pytest.fixture
def valkey(valkey_server: Valkey, settings_for: Callable[..., Settings]) -> Iterator[redis.Redis]:
    """A client of an empty Valkey that the settings name."""
    settings_for(redis_url=valkey_server.url)
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def sandbox_server(run_folder: Path) -> Sandbox:
    """The sandbox of this worker."""
    return Sandbox(run_folder)


@pytest.fixture
def sandbox(sandbox_server: Sandbox, settings_for: Callable[..., Settings]) -> Sandbox:
    """A sandbox that has forgotten everything; the settings name it for every provider."""
    settings_for(**sandbox_server.settings)
    sandbox_server.post("faults")
    sandbox_server.post("reset")
    return sandbox_server


@pytest.fixture
def site(request: pytest.FixtureRequest, database: Engine, settings_for: Callable[..., Settings]) -> Iterator[str]:
    """The address of the application, served over HTTP. In a test with ``sandbox``, its webhooks arrive there."""
    sandbox: Sandbox | None = request.getfixturevalue("sandbox") if "sandbox" in request.fixturenames else None
    port = sandbox.hub_port if sandbox else free_port()
    settings_for(public_url=f"http://127.0.0.1:{port}")
    with serving(port):
        yield settings().public_url


@pytest.fixture
def run_hub(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python -m hub …`` as a person does, in a process of its own with this test's environment."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hub", *arguments],
            cwd=tmp_path,  # not the checkout, where the person's own .env may be
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
