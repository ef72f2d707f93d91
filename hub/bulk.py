"""Many rows as one parameter: a JSON array that the database reads as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Integer, Subquery, column, text
from sqlalchemy.orm import Session
from sqlalchemy.types import String, TypeEngine

from hub.db import UtcDateTime

POSTGRESQL_TYPES: dict[type[TypeEngine[Any]], str] = {
    BigInteger: "bigint",
    Integer: "integer",
    String: "text",
    Boolean: "boolean",
    UtcDateTime: "timestamptz",
}


def json_table(
    session: Session, columns: Mapping[str, TypeEngine[Any]], items: Sequence[Mapping[str, object]], name: str = "given"
) -> Subquery:
    """A table made of ``items``, for ``UPDATE … FROM`` and ``INSERT … SELECT``.

    One statement with one parameter takes any number of rows, so it is compiled once and stays prepared.
    """
    parameter = f"{name}_rows"
    if session.get_bind().dialect.name == "postgresql":
        types = ", ".join(f"{key} {POSTGRESQL_TYPES[type(kind)]}" for key, kind in columns.items())
        statement = f"SELECT * FROM jsonb_to_recordset(CAST(:{parameter} AS jsonb)) AS t({types})"  # noqa: S608 - names from our own code
    else:
        fields = ", ".join(f"json_extract(value, '$.{key}') AS {key}" for key in columns)
        statement = f"SELECT {fields} FROM json_each(:{parameter})"  # noqa: S608 - names from our own code
    source = text(statement).bindparams(
        **{parameter: orjson.dumps(items, default=_stored(session), option=orjson.OPT_PASSTHROUGH_DATETIME).decode()}
    )
    return source.columns(*(column(key, kind) for key, kind in columns.items())).subquery(name)


def _stored(session: Session) -> Callable[[object], str]:
    on_sqlite = session.get_bind().dialect.name == "sqlite"

    def stored(value: object) -> str:
        if not isinstance(value, datetime):
            raise TypeError(f"{type(value)} can't be a parameter")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None).isoformat(" ", "microseconds") if on_sqlite else at.isoformat()

    return stored
