"""Static files that browsers may keep for a year, because their address changes with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for

STATIC = Path(__file__).parent.parent / "static"


def register_assets(app: Flask) -> None:
    """Give templates ``asset('everyway.css')``."""
    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def keep_versions(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args and response.status_code < 400:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def asset(filename: str) -> str:
    """The address of a file under hub/static, with the version that it has now."""
    return url_for("static", filename=filename, v=_version(filename))


@cache
def _version(filename: str) -> str:
    return hashlib.sha256((STATIC / filename).read_bytes()).hexdigest()[:12]
