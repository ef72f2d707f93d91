"""Home: what needs attention now."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.access import current_account, has_role, volunteer_required
from hub.accounts.models import RoleName

bp = Blueprint("home", __name__)


@bp.get("/")
@volunteer_required
def index() -> ResponseReturnValue:
    """What needs an organiser now; a volunteer’s work is the call lists."""
    return render_template("home/index.html")
