"""A little HTTP proxy: forwards plain requests, and tunnels where it is asked to CONNECT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """The running proxy, and the first line and headers of what it was asked."""

    url: str
    asked: list[str] = field(default_factory=list)
    refuses: bool = False


@contextmanager
def proxy(elsewhere: dict[str, int]) -> Iterator[Proxy]:
    """Serve until the end of the block. ``elsewhere`` maps names of hosts to ports of this machine."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = self.request.recv(65536)
                if not piece:
                    return
                head += piece
            served.asked.append(head.split(b"\r\n\r\n")[0].decode())
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split()
            if served.refuses:
                self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            host = target.partition(":")[0] if method == "CONNECT" else urlsplit(target).hostname
            with socket.create_connection(("127.0.0.1", elsewhere[host or ""])) as further:
                if method == "CONNECT":
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    path = target.partition(host or "")[2]
                    path = path[path.index("/") :]
                    further.sendall(head.replace(target.encode(), path.encode(), 1))
                there = threading.Thread(target=_pour, args=(self.request, further))
                there.start()
                _pour(further, self.request)
                there.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        served = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
