"""People who sign in: organisers, volunteers and administrators. Participants never have to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy.orm import Mapped, relationship

from hub.accounts import tables
from hub.db import Base

if TYPE_CHECKING:
    from datetime import datetime


class RoleName(StrEnum):
    """What an account may do. An admin may do everything; an organiser all but installation settings."""

    ADMIN = "admin"
    ORGANISER = "organiser"
    VOLUNTEER = "volunteer"


class Role(Base, RoleMixin):
    """A named set of permissions, as Flask-Security keeps it."""

    __table__ = tables.roles

    if TYPE_CHECKING:
        id: Mapped[int]
        name: Mapped[str]
        description: Mapped[str]


class Account(Base, UserMixin):
    """Somebody who signs in."""

    __table__ = tables.accounts

    if TYPE_CHECKING:
        id: Mapped[int]
        email: Mapped[str]
        name: Mapped[str]
        password: Mapped[str | None]
        active: Mapped[bool]
        fs_uniquifier: Mapped[str]
        confirmed_at: Mapped[datetime | None]
        create_datetime: Mapped[datetime]
        tf_primary_method: Mapped[str | None]
        tf_totp_secret: Mapped[str | None]

    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]  # narrower than UserMixin's list[RoleMixin]
        secondary=tables.account_roles, lazy="selectin"
    )
