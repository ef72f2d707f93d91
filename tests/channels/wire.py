"""A provider's end of the wire: a small HTTP server that records what it gets, and can misbehave in every way."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson


class Wrong(Enum):
    """What a server can do instead of answering."""

    HANGS = auto()
    CLOSES = auto()
    RESETS = auto()


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def query(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


Reply = bytes | Wrong | tuple[bytes | Wrong, ...]
"""Raw bytes, a misbehaviour, or several of them one after the other."""


def reply(status: int, body: object = b"", **headers: str) -> bytes:
    """A well-formed answer; ``Retry_After="3"`` becomes a header."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Wire:
    """The running server. Set ``answer`` to decide about replies; read ``requests`` for what came."""

    url: str
    answer: Callable[[Request], Reply]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def wire(answer: Callable[[Request], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Serve on a free port of this machine until the end of the block."""

    class Handler(StreamRequestHandler):
        timeout = 20

        def handle(self) -> None:
            served.connections += 1
            number = served.connections
            while (request := _read(self.rfile, number)) is not None:
                served.requests.append(request)
                given = served.answer(request)
                for piece in given if isinstance(given, tuple) else (given,):
                    if isinstance(piece, Wrong):
                        _misbehave(self.connection, piece, served.over)
                        return
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if isinstance(given, tuple):
                        time.sleep(0.01)  # so that the pieces arrive one by one

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

        def finish_request(self, request: Any, client_address: Any) -> None:
            if tls is None:
                super().finish_request(request, client_address)
                return
            with tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away is none of our business here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        served = Wire(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", answer)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield served
        finally:
            served.over.set()
            server.shutdown()
            thread.join()


def _read(stream: Any, connection: int) -> Request | None:
    try:
        first = stream.readline().decode("latin-1").split()
        if len(first) < 3:
            return None
        headers: dict[str, str] = {}
        while line := stream.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
    except OSError:
        return None
    return Request(first[0], first[1], headers, body, connection)


def _misbehave(connection: socket.socket, what: Wrong, over: threading.Event) -> None:
    if what is Wrong.HANGS:
        over.wait(20)
    if what is Wrong.RESETS:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def closed_port() -> str:
    """The address of a server that is not there."""
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{spare.getsockname()[1]}"
