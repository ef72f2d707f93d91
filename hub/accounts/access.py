"""Who may open a page. Every view but a short list of public ones wears one of these."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask_login import current_user
from flask_security.decorators import auth_required

from hub.accounts.models import Account, RoleName
from hub.errors import Refused

View = TypeVar("View", bound=Callable[..., Any])


def current_account() -> Account:
    """The account that is signed in. Only for views that need one: anybody else gets an error."""
    account = current_user._get_current_object()
    if not isinstance(account, Account):
        raise Refused("You need to sign in to do this.")
    return account


def has_role(account: Account, *roles: RoleName) -> bool:
    """Whether an account has one of the roles. Administrators have them all."""
    mine = {role.name for role in account.roles}
    return RoleName.ADMIN in mine or not mine.isdisjoint(roles)


def admin_required(view: View) -> View:
    """For administrators alone."""
    return _for(view, RoleName.ADMIN)


def organiser_required(view: View) -> View:
    """For organisers and administrators."""
    return _for(view, RoleName.ORGANISER)


def volunteer_required(view: View) -> View:
    """For everyone who signs in."""
    return _for(view, RoleName.ORGANISER, RoleName.VOLUNTEER)


def _for(view: View, *roles: RoleName) -> View:
    """Sends those who have not signed in to do so, and refuses those whose role is another."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not has_role(current_account(), *roles):
            raise Refused("Your account is not allowed to do this. If you need it, ask an administrator.")
        return view(*args, **kwargs)

    signed_in = auth_required("session")(guarded)
    signed_in.required_roles = frozenset({RoleName.ADMIN, *roles})
    return cast(View, signed_in)
