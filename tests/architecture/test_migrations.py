"""The tables that migrations make are the tables that the models describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from hub.migrate import migrate, migration_config, pending
from hub.models import metadata


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory.from_config(migration_config()).get_heads()) == 1


def test_models_match_what_migrations_make(database: Engine) -> None:
    with database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert differences == []


def test_migrating_again_changes_nothing(database: Engine) -> None:
    assert not pending(database)
    migrate(database)
    assert not pending(database)
