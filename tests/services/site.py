"""The application, served over real HTTP from this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from config.settings import settings
from hub.app import create_app
from hub.web.limits import limiter

KEPT_BY_THE_APPLICATION = ("public_url", "redis_url", "trusted_proxies", "group_name", "currency", "secret_key")
"""The settings that an application holds on to; the others, and its database, it asks for at every request."""


def application() -> Flask:
    """The application for today's settings. Made once for each: most of its cost is in its routes and templates."""
    made = _made(repr([getattr(settings(), name) for name in KEPT_BY_THE_APPLICATION]))
    limiter.reset()  # tries of the test before
    made.config["WTF_CSRF_ENABLED"] = True  # tests.conversations.signing_in takes it away for a test
    return made


@cache
def _made(_kept: str) -> Flask:
    return create_app()


@contextmanager
def serving(port: int) -> Iterator[None]:
    """Serve the application of today's settings on a port of this machine."""
    server = make_server("127.0.0.1", port, application(), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_details: object) -> None:
        pass
