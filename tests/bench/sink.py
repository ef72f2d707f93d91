"""``python -m tests.bench.sink PORT``: a provider that takes everything and remembers only how much, and since when.

Twilio's and SendGrid's answers, as fast as one process can give them, or after ``--latency-ms``; with ``--certificate``
over TLS. ``GET /`` says how many requests came, and when the first and the last one did (seconds since 1970).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import httptools
import orjson
import uvloop

TEXT = (
    b'{"sid":"SM%032x","status":"queued","error_code":null,"error_message":null,"num_segments":"1",'
    b'"direction":"outbound-api","from":"+447700900001","to":null,"body":null,"price":null,"price_unit":"USD",'
    b'"date_created":"Sun, 22 Nov 2026 12:00:00 +0000","date_updated":"Sun, 22 Nov 2026 12:00:00 +0000",'
    b'"date_sent":null,"uri":"/2010-04-01/Accounts/AC/Messages/SM.json","subresource_uris":{"media":"/Media.json"}}'
)
ANSWER = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Message-Id: %032x\r\nContent-Length: %d\r\n\r\n%s"


class Sink:
    """What came in."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.requests = 0
        self.first = self.last = 0.0

    def answer(self, url: bytes) -> bytes:
        """What a request is answered with."""
        if url == b"/":
            told = orjson.dumps({"requests": self.requests, "first": self.first, "last": self.last})
            self.requests, self.first = 0, 0.0
            return ANSWER % (b"200 OK", 0, len(told), told)
        self.requests += 1
        self.last = time.time()
        self.first = self.first or self.last
        if url.endswith(b"/mail/send"):
            return ANSWER % (b"202 Accepted", self.requests, 0, b"")
        body = TEXT % self.requests
        return ANSWER % (b"201 Created", self.requests, len(body), body)


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def connection_made(self, transport: Any) -> None:
        """Get ready for requests."""
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """What is asked for."""
        self.url = url

    def on_message_complete(self) -> None:
        """Answer a request."""
        answer = self.sink.answer(self.url)
        if self.sink.latency:
            asyncio.get_running_loop().call_later(self.sink.latency, self.transport.write, answer)
        else:
            self.transport.write(answer)


@click.command()
@click.argument("port", type=int)
@click.option("--latency-ms", default=0.0)
@click.option("--certificate", type=click.Path(path_type=Path), help="A file with a certificate and its key.")
def main(port: int, latency_ms: float, certificate: Path | None) -> None:
    """Serve until killed."""
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)

    async def run() -> None:
        made = partial(Connection, Sink(latency_ms / 1000))
        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", port, ssl=tls, backlog=512)
        await server.serve_forever()

    uvloop.run(run())


if __name__ == "__main__":
    main()
