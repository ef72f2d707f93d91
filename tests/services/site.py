"""The application, served over real HTTP from this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from hub.app import create_app


@contextmanager
def serving(port: int) -> Iterator[None]:
    """Serve the application of today's settings on a port of this machine."""
    server = make_server("127.0.0.1", port, create_app(), threaded=True, request_handler=_Quiet)
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
