"""The fixtures themselves: fresh, real and isolated."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, inspect, text

import hub.db
from config.settings import settings
from hub.migrate import pending
from tests.services.requirement import missing
from tests.services.sandbox import Sandbox


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_migrated_database_of_its_own(database: Engine, turn: int) -> None:
    assert not pending(database)
    assert hub.db.engine() is database
    with hub.db.write_session() as session:
        session.execute(text("CREATE TABLE left_behind (id INTEGER)"))
    assert inspect(database).has_table("left_behind")


def test_postgresql_is_the_version_that_production_is_built_for(postgresql_database: Engine) -> None:
    with postgresql_database.connect() as connection:
        assert connection.execute(text("SHOW server_version")).scalar_one().startswith("18.")


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_valkey(valkey: redis.Redis, turn: int) -> None:
    assert valkey.dbsize() == 0
    valkey.set("left_behind", turn)


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_sandbox_that_has_forgotten_everything(sandbox: Sandbox, turn: int) -> None:
    assert sandbox.get("messages")["messages"] == []
    assert settings().twilio_base_url == sandbox.url
    assert settings().public_url == sandbox.hub_url


def test_settings_of_the_person_who_runs_the_tests_do_not_leak_in(tmp_path: Path) -> None:
    assert settings().data_dir == tmp_path / "var"
    assert settings().twilio_account_sid == ""


@pytest.mark.parametrize(("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_what_a_machine_lacks_is_skipped_or_where_all_is_required_fails(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_REQUIRE_ALL", required)
    with pytest.raises(outcome, match=r"Chromium is missing\. Install it with: apt-get install chromium"):
        missing("Chromium", "apt-get install chromium")
