"""Accounts for Flask-Security, kept through our own short transactions."""

from __future__ import annotations

from typing import Any

from flask_security.datastore import UserDatastore
from sqlalchemy import func, select

from hub.accounts.models import Account, Role
from hub.db import read_session, write_session


class AccountDatastore(UserDatastore):
    """Every call is a transaction of its own; what comes back is complete and tied to no session.

    So no transaction stays open while a page is made, and the page's own transaction never waits for this one.
    """

    def __init__(self) -> None:
        super().__init__(Account, Role)

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Account | None:
        """The account whose attribute has the value, with its roles, or None."""
        name, value = next(iter(kwargs.items()))
        column = getattr(Account, name)
        matches = func.lower(column) == str(value).lower() if case_insensitive else column == value
        with read_session() as session:
            return session.scalar(select(Account).where(matches))

    def find_role(self, role: str) -> Role | None:
        """The role of that name, or None."""
        with read_session() as session:
            return session.scalar(select(Role).where(Role.name == role))

    def put(self, model: Any) -> Any:
        """Store what Flask-Security has changed on an account."""
        with write_session() as session:
            session.merge(model)
        return model

    def delete(self, model: Any) -> None:
        """Remove an account or a role."""
        with write_session() as session:
            session.delete(session.merge(model))

    def commit(self) -> None:
        """Nothing is left to do: every change above is committed at once."""
