"""The page about the account that is signed in. Signing in itself is Flask-Security's: hub.accounts.security."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub.accounts.access import current_account, volunteer_required

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@volunteer_required
def index() -> ResponseReturnValue:
    """Who I am here, and how I sign in."""
    return render_template("accounts/index.html", account=current_account())
