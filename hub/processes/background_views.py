"""What works in the background, on a page for organisers: is somebody sending, and what is waiting?"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from redis import RedisError

from config.channels import CHANNELS
from hub.accounts.access import organiser_required
from hub.db import read_session, utc_now
from hub.deliveries.backlog import backlog, unsettled
from hub.deliveries.queries import stopped_channels
from hub.processes.queue_server import queue_server
from hub.processes.workforce import Workforce, workforce

bp = Blueprint("background", __name__, url_prefix="/settings/background")


@bp.get("")
@organiser_required
def index() -> ResponseReturnValue:
    """Workers, what waits for them, and channels that have stopped."""
    with read_session() as session:
        waiting = backlog(session, utc_now())
        return render_template(
            "settings/background.html",
            backlog=[(CHANNELS[each.channel], each) for each in waiting],
            unsettled=unsettled(session),
            stops={stop.channel: stop for stop in stopped_channels(session)},
            workforce=_workforce(),
        )


def _workforce() -> Workforce | None:
    try:
        return workforce(queue_server())
    except (RedisError, OSError):
        return None
