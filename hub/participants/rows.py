"""Many rows of one table in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.orm import Session

from hub.db import Base


def insert_into(model: type[Base]) -> Insert:
    """An INSERT by the model's table. By the class, each run of rows with the same empty columns would be its own."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not kept in a table.")
    return insert(table)


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows, if there are any. Columns that a row leaves out get their default."""
    if rows:
        session.execute(insert_into(model), rows)
