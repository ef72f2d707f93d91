"""The tables of those who sign in, apart from how they do: workers need no more, and signing in needs much memory."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table

from hub.db import Base, UtcDateTime

account_roles = Table(
    "account_roles",
    Base.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)

roles = Table(
    "roles",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), unique=True, nullable=False),
    Column("description", String(200), default="", nullable=False),
)

# Column names that Flask-Security relies on are its own.
accounts = Table(
    "accounts",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), unique=True, nullable=False),
    Column("name", String(120), default="", nullable=False),
    Column("password", String(255)),
    Column("active", Boolean, default=True, nullable=False),
    Column("fs_uniquifier", String(64), unique=True, nullable=False),
    Column("confirmed_at", UtcDateTime()),
    Column("create_datetime", UtcDateTime(), nullable=False),
    Column("tf_primary_method", String(64)),
    Column("tf_totp_secret", String(255)),
    sqlite_autoincrement=True,
)
