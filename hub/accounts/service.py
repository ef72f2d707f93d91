"""Making and changing accounts."""

from __future__ import annotations

import secrets
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from passlib.hash import argon2
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.accounts.models import Account, Role, RoleName
from hub.errors import Conflict, HubError, NotFound

SHORTEST_PASSWORD = 10
"""At least 8 (NIST SP 800-63B-4, 3.1.1.2); we ask for a little more where no second step is required."""

LONGEST_PASSWORD = 1000

DESCRIPTIONS = {
    RoleName.ADMIN: "May do everything.",
    RoleName.ORGANISER: "Looks after people and announcements.",
    RoleName.VOLUNTEER: "Works through call lists.",
}


class BadAccount(HubError):
    """400: what was given can't make an account; the message names the part."""


class AccountExists(Conflict):
    """409: somebody signs in with that address already."""


def create_account(
    session: Session, email: str, role: RoleName, *, name: str = "", password: str = "", now: datetime
) -> tuple[Account, str]:
    """Make an account and return it with its password, which is made up where none is given.

    Raises :class:`BadAccount` for an address or password that won't do, :class:`AccountExists` for a second account.
    """
    address = _normalised(email)
    if find_account(session, address):
        raise AccountExists(f"{address} has an account already. To give it a new password: account password {address}")
    chosen = password or made_up_password()
    account = Account(
        email=address,
        name=" ".join(name.split())[:120],
        password=hashed(chosen),
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        confirmed_at=now,
        create_datetime=now,
        roles=[_role(session, role)],
    )
    session.add(account)
    session.flush()
    return account, chosen


def set_password(session: Session, email: str, password: str = "") -> str:
    """Give an account a new password, and return it. Ends its sessions, and its second step with them."""
    account = find_account(session, email)
    if account is None:
        raise NotFound(f"No account has the address {email}.")
    chosen = password or made_up_password()
    account.password = hashed(chosen)
    account.fs_uniquifier = secrets.token_hex(32)
    account.tf_primary_method = None
    account.tf_totp_secret = None
    return chosen


def set_active(session: Session, account_id: int, active: bool) -> Account:
    """Let somebody sign in, or not any more. Their sessions end at once.

    Raises :class:`Conflict` where nobody who can administer the hub would be left.
    """
    account = account_with(session, account_id)
    is_admin = any(role.name == RoleName.ADMIN for role in account.roles)
    if not active and is_admin and _active_admins(session) == 1:
        raise Conflict("This is the only administrator. Make another account an administrator first.")
    account.active = active
    account.fs_uniquifier = secrets.token_hex(32)
    return account


def find_account(session: Session, email: str) -> Account | None:
    """The account with that address, however its letters are written."""
    return session.scalar(select(Account).where(func.lower(Account.email) == email.strip().lower()))


def account_with(session: Session, account_id: int) -> Account:
    """The account with that id. Raises :class:`NotFound`."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("That account is not here any more.")
    return account


def list_accounts(session: Session) -> list[Account]:
    """Everyone who can sign in, and who could once; by address."""
    return list(session.scalars(select(Account).order_by(Account.email)))


def made_up_password() -> str:
    """A password that is safe and can be read out: four groups of four, 75 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def hashed(password: str) -> str:
    """The argon2id hash that Flask-Security checks a password against.

    Raises :class:`BadAccount` for a password that is too short or too long.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise BadAccount(f"The password is too short: use at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise BadAccount(f"The password is too long: use at most {LONGEST_PASSWORD:,} characters.")
    return str(argon2.hash(password))


def _normalised(email: str) -> str:
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadAccount(f"“{email}” is not an email address. It should look like name@example.org.") from None
    return checked.normalized.lower()


def _role(session: Session, name: RoleName) -> Role:
    role = session.scalar(select(Role).where(Role.name == name.value))
    if role is None:
        role = Role(name=name.value, description=DESCRIPTIONS[name])
        session.add(role)
    return role


def _active_admins(session: Session) -> int:
    holders = select(func.count()).select_from(Account).where(Account.active, Account.roles.any(name=RoleName.ADMIN))
    return session.scalar(holders) or 0
