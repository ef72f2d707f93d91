"""For load balancers and monitoring: is this web server alive, and can it do its work?"""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from hub.db import engine
from hub.migrate import pending
from hub.processes.queue_server import queue_server

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """200 as long as this process answers at all. Asks nobody else, so that a database's trouble restarts nothing."""
    return _plain("ok\n", 200)


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 when database and queue can be used, otherwise 503; one line for each says which cannot."""
    problems = [problem for problem in (_database(), _queue()) if problem]
    return _plain("\n".join([*problems, ""]), 503) if problems else _plain("ok\n", 200)


def _database() -> str:
    try:
        return "database: needs python3 -m hub migrate" if pending(engine()) else ""
    except (SQLAlchemyError, OSError):
        return "database: not reachable"


def _queue() -> str:
    try:
        queue_server().ping()
    except (RedisError, OSError):
        return "queue: not reachable"
    return ""


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain", headers={"Cache-Control": "no-store"})
