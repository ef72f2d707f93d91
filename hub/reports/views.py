"""Home: what needs attention now."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from config.channels import CHANNELS
from hub.accounts.access import current_account, has_role, organiser_required, volunteer_required
from hub.accounts.models import RoleName
from hub.db import read_session
from hub.deliveries import scheduling
from hub.deliveries.queries import stopped_channels
from hub.reports.queries import attention, undecided, under_way

bp = Blueprint("home", __name__)


@bp.get("/")
@volunteer_required
def index() -> ResponseReturnValue:
    """What needs an organiser now. A volunteer's work is the call lists, so that is where they begin."""
    if not has_role(current_account(), RoleName.ORGANISER):
        return redirect(url_for("calls.index"))
    with read_session() as session:
        numbers = attention(session)
        running = under_way(session)
        to_decide = undecided(session)
        kept_back, to_be_sent = scheduling.kept_back(session), scheduling.waiting(session)
        stopped = [(CHANNELS[stop.channel].label, stop.reason) for stop in stopped_channels(session)]
        return render_template(
            "home/index.html",
            numbers=numbers,
            running=running,
            stopped=stopped,
            to_decide=to_decide,
            kept_back=kept_back,
            to_be_sent=to_be_sent,
        )


@bp.get("/home/under-way")
@organiser_required
def running() -> ResponseReturnValue:
    """The part of the home page that keeps itself up to date."""
    with read_session() as session:
        running = under_way(session)
    return render_template("home/under_way.html", running=running)
